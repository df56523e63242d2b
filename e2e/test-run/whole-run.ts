/** Before and after all tests: a private place for temporary folders, which must be empty at the end. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { movePrivate } from './private-place.ts'

const checkout = fileURLToPath(new URL('../../', import.meta.url))

export default function setUp(): () => void {
  // Programs and threads that tests start run from source: compiled once for all of them, they need a third of the time.
  process.env.NODE_COMPILE_CACHE ??= `${checkout}node_modules/.cache/compiled`
  const before = new Set(readdirSync(checkout))
  const place = movePrivate('arriero-')
  return () => {
    // A path that was not given leads here: what a test writes to it stands among our own files.
    const left = [...place.leftOver(), ...readdirSync(checkout).filter(name => !before.has(name))]
    place.remove()
    if (left.length > 0) throw new Error(`The tests must leave nothing behind, they left ${left.join(', ')}`)
  }
}
