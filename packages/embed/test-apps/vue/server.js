import { loadConsentWidget } from "@consent-server/embed";
import { createSSRApp } from "vue";
import { renderToString } from "vue/server-renderer";
import App from "./App.vue";

// Neither settles nor fails where there is no visitor.
loadConsentWidget({ site: "shop", server: "https://consent.example" });

export const render = () => renderToString(createSSRApp(App));
