/**
 * Device names that Windows keeps for itself, with any extension: `con`, `nul.txt`, `COM1 .gz`, `lpt²`.
 * They are refused on every system, because data sets travel.
 */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?:\.|:|$)/i

/** Whether Windows would open a device instead of a file of this name. */
export function isReservedName(name: string): boolean {
  return RESERVED.test(name)
}
