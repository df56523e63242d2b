import { createRequire } from 'node:module'
import type { Finding } from './finding.ts'

/** What the engine can do without, by what it is good for. */
const optional: Readonly<Record<string, string>> = {
  '@node-rs/crc32': 'fast crc32c',
  '@node-rs/xxhash': 'fast xxh3',
}

/** Whether the engine loads, and its native helpers. */
export async function* examineModules(): AsyncGenerator<Finding> {
  try {
    await import('@arriero/transfer')
    yield { check: 'engine', level: 'ok', found: 'loads' }
  } catch (error) {
    const found = `does not load: ${(error as Error).message}`
    yield { check: 'engine', level: 'fail', found, next: 'Install again: npm install' }
    return
  }
  // They belong to the engine, so they are looked for from there.
  const require = createRequire(import.meta.resolve('@arriero/transfer'))
  for (const [name, purpose] of Object.entries(optional)) {
    try {
      require(name)
      yield { check: name, level: 'ok', found: purpose }
    } catch {
      const found = `not available: ${purpose} falls back to WebAssembly`
      yield { check: name, level: 'warn', found, next: `Nothing is wrong, only slower; try: npm install ${name}` }
    }
  }
}
