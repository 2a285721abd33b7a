import { loadConsentWidget } from "@consent-server/embed";
import { createSSRApp } from "vue";
import App from "./App.vue";

window.loadConsentWidget = loadConsentWidget;
window.app = createSSRApp(App);
window.app.mount("#app");
window.unmount = () => window.app.unmount();
