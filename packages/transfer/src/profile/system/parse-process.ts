/** `/proc/PID/statm`: pages that are resident. */
export function parseResidentPages(text: string): number | undefined {
  const pages = Number(text.split(' ')[1] || Number.NaN)
  return Number.isFinite(pages) ? pages : undefined
}

/** Linux tells every program the same, whatever its own clock: USER_HZ. */
const tickMs = 10

/** `/proc/PID/stat`: ms of CPU used, user and system. */
export function parseCpuMs(text: string): number | undefined {
  // The name in brackets may hold anything, brackets and spaces too.
  const words = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime …
  const ticks = Number(words[11]) + Number(words[12])
  return Number.isFinite(ticks) ? ticks * tickMs : undefined
}

/** `/proc/PID/task/TID/children`. */
export function parseChildren(text: string): number[] {
  return text.trim() === '' ? [] : text.trim().split(/\s+/).map(Number)
}

/** `/proc/PID/auxv`: bytes of a memory page. */
export function parsePageSize(auxv: Buffer): number | undefined {
  const pageSizeEntry = 6n
  for (let at = 0; at + 16 <= auxv.length; at += 16) {
    if (auxv.readBigUInt64LE(at) === pageSizeEntry) return Number(auxv.readBigUInt64LE(at + 8))
  }
  return undefined
}
