/** `/proc/meminfo`: bytes that programs could still have. Kernels before 3.14 do not say it; then free and cached count. */
export function parseAvailable(text: string): number | undefined {
  const available = kibOf(text, 'MemAvailable')
  if (available !== undefined) return available * 1024
  const free = kibOf(text, 'MemFree')
  if (free === undefined) return undefined
  return (free + (kibOf(text, 'Buffers') ?? 0) + (kibOf(text, 'Cached') ?? 0)) * 1024
}

function kibOf(text: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)
  return found ? Number(found[1]) : undefined
}
