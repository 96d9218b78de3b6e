/** In which forms the other side can take what it needs; read before anything else is loaded. */
export const FORMS = ["peers", "cftd", "server.conf", "bundle"] as const;
export type Form = (typeof FORMS)[number];
