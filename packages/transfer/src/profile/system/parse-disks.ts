import type { DiskCounters } from './counters.ts'

/** The kernel counts sectors of this size, whatever the disk's own. */
const sectorBytes = 512

/**
 * `/proc/diskstats`: all disks together.
 *
 * @param isDisk whether a name is a whole disk: what its partitions and the layers above it do is counted there
 */
export function parseDisks(text: string, isDisk: (name: string) => boolean): DiskCounters | undefined {
  let [readBytes, writtenBytes, operations] = [0, 0, 0]
  if (text.trim() === '') return undefined
  for (const line of text.split('\n')) {
    // major minor name reads merged sectors ms writes merged sectors ms …
    const words = line.trim().split(/\s+/)
    const name = words[2]
    if (name === undefined || words.length < 10 || !isDisk(name)) continue
    readBytes += Number(words[5]) * sectorBytes
    writtenBytes += Number(words[9]) * sectorBytes
    operations += Number(words[3]) + Number(words[7])
  }
  return { readBytes, writtenBytes, operations }
}

/** Layers over other disks, and disks in memory: their bytes are none of a disk's, or are counted there. */
export function isLayer(name: string): boolean {
  return /^(?:loop|ram|zram|dm-|md)\d/.test(name)
}
