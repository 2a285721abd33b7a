/** What a visitor did: more may come. */
export type Action = "accept_all" | "refuse_all" | "save" | "withdraw" | "gpc" | (string & {});
/** The decision that stands. */
export interface Decision {
    readonly action: Action;
    /** When, as ISO 8601 in UTC. Of a refusal of everything the day alone is kept. */
    readonly at: string;
    /** Each purpose of the notice by its key. */
    readonly grants: Readonly<Record<string, boolean>>;
    /** The vendors that were granted or denied apart from their purposes. Ask `allows` for any vendor. */
    readonly vendors: Readonly<Record<string, boolean>>;
    /** The edition of the notice that was answered. */
    readonly revision: string;
    /** Whether the browser sent Global Privacy Control. */
    readonly gpc: boolean;
    /** A random identifier, only with a grant. */
    readonly visitor?: string | null;
    /** The signed token that a back end checks before it sends an event, only with a grant. */
    readonly state?: string | null;
}
/** Why the server did not record a decision (RFC 9457). */
export interface Problem {
    readonly type: string;
    readonly title: string;
    readonly status: number;
    readonly detail?: string;
    /** The decision that was not recorded. */
    readonly decision_id: string;
}
/** What is told, by name: to `on`, and to `document` with `consent:` before the name. */
export interface ConsentEvents {
    /** The widget knows what was decided on earlier pages; null before a first choice. */
    ready: Decision | null;
    /** The banner can be seen. */
    shown: Decision | null;
    /** A decision was made, here or in another tab, and what it grants is being opened. */
    change: Decision;
    /** The server answered a decision with anything but 200 or 201. */
    error: Problem;
}
/** What belongs to a conversion. */
export interface ConversionParams {
    value?: number;
    /** ISO 4217. */
    currency?: string;
    transaction_id?: string;
    [name: string]: unknown;
}
/** `window.consentWidget`, there once the widget's script has run. */
export interface ConsentWidget {
    /** Show the banner. */
    show(): void;
    /** Show the preferences. */
    showPreferences(): void;
    /** Grant every purpose, as the button does. */
    acceptAll(): void;
    /** Deny every purpose, as the button does. */
    refuseAll(): void;
    /** Decide purpose by purpose; what is not `true` is denied. `vendors` are those that differ from their purposes. */
    save(answer: {
        grants: Record<string, boolean>;
        vendors?: Record<string, boolean>;
    }): void;
    /** Take back every grant: what the vendors stored is deleted, and the page loads anew. */
    withdraw(): void;
    /** Whether a purpose or a vendor is granted now. False before a choice, and for a key that the notice does not name. */
    allows(key: string): boolean;
    /** The decision that stands; null before a choice. */
    readonly decision: Decision | null;
    /** Where the receipt of the last decision can be read; null until the server has answered. */
    readonly receiptUrl: string | null;
    /** Report a conversion of the site file; held before a choice, dropped after a refusal. */
    conversion(name: string, params?: ConversionParams): void;
    /** Hear of an event; of `ready` also when it has been told already. */
    on<Name extends keyof ConsentEvents>(name: Name, listener: (detail: ConsentEvents[Name]) => void): void;
}
/** The events of `ConsentEvents` as `document` tells them. */
export type ConsentDocumentEvents = {
    [Name in keyof ConsentEvents as `consent:${Name}`]: CustomEvent<ConsentEvents[Name]>;
};
declare global {
    interface Window {
        consentWidget?: ConsentWidget;
    }
    interface DocumentEventMap extends ConsentDocumentEvents {
    }
}
