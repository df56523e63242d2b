/** Sent as User-Agent; follows package.json, which a test compares. */
export const arrieroVersion = '0.1.0'
