import { loadConsentWidget } from "@consent-server/embed";
import { StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { App } from "./App";

window.loadConsentWidget = loadConsentWidget;
window.app = hydrateRoot(document.getElementById("app"), <StrictMode><App /></StrictMode>, {
  onRecoverableError: (fault) => console.error(`hydration: ${fault}`),
});
window.unmount = () => window.app.unmount();
