/** Reading and writing past the page cache (docs/decisions/0002). */

/** No device asks for more of addresses, offsets and lengths. */
export const BLOCK = 4096

/** Of smaller files the kernel reads and writes many at a time, faster than each for itself. */
export const DIRECT_FROM = 512 << 10

export function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK) * BLOCK
}
