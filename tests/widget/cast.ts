import type { Purpose, Vendor } from "../../static/widget/src/state/config";

export const purposes: Purpose[] = [
  { key: "analytics", signals: ["analytics_storage"] },
  { key: "advertising", signals: ["ad_storage", "ad_user_data", "ad_personalization"], gpc: true },
];

const vendor = (key: string, adapter: string | null, id: string, ...its: string[]): Vendor =>
  ({ key, adapter, ids: [id], purposes: its });

export const analytics = vendor("google-analytics", "google", "G-ABCD123456", "analytics");
export const ads = vendor("google-ads", "google", "AW-123456789", "advertising");
export const manager = vendor("google-tag-manager", "google", "GTM-ABC1234", "analytics", "advertising");
export const pixel = vendor("meta-pixel", "meta", "1234567890123456", "advertising");

export const notice = { purposes, vendors: [analytics, ads, pixel, manager], advanced: false };
