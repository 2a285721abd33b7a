import { useConsent } from "@consent-server/embed/react";

export function App() {
  const { ready, decision, allows, widget } = useConsent();
  return (
    <main>
      <p id="state">{ready ? (decision?.action ?? "asked") : "waiting"}</p>
      <p id="analytics">{allows("analytics") ? "granted" : "denied"}</p>
      <button onClick={() => widget?.showPreferences()}>Cookie settings</button>
    </main>
  );
}
