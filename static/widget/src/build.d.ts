/** Whether this build knows of purposes that run before a choice (build.mjs): most pages load the one that does not. */
declare const RULES: boolean;
