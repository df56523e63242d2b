import { setFlagsFromString } from 'node:v8'

/**
 * A list of a million files makes garbage faster than V8 thinks worth collecting: left alone, the heap grows to several
 * hundred MB around 20 MB of live objects (reliability D5). The price is a few per cent of CPU.
 */
export function boundHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
}

/**
 * V8's own ways, from now on. A server makes much garbage on many threads, and bounded it spends a third of its CPU on that; but until
 * it is ready it has made more than it ever does while nobody asks it for anything.
 */
export function freeHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=2')
  setFlagsFromString('--heap-growing-percent=0')
}
