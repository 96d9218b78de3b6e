/**
 * The trust domain that an object of SPIRE's controller manager names. The controller manager also takes a SPIFFE ID there,
 * and goes by its trust domain (TrustDomainFromString of go-spiffe).
 */
export const writtenTrustDomain = (text: string): string => text.replace(/^spiffe:\/\/([^/]*).*$/s, "$1");
