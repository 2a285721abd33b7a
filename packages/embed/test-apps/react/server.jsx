import { loadConsentWidget } from "@consent-server/embed";
import { StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { App } from "./App";

// Neither settles nor fails where there is no visitor.
loadConsentWidget({ site: "shop", server: "https://consent.example" });

export const render = () => renderToString(<StrictMode><App /></StrictMode>);
