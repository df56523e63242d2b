import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Hooks } from '@arriero/transfer'

/** Stores what was compressed uncompressed. What is verified is what was fetched. */
const gunzip: Hooks = {
  async *transform(bytes) {
    // A stream keeps what it is given for longer than one step: it gets copies.
    async function* copies() {
      for await (const piece of bytes) yield Buffer.from(piece)
    }
    yield* Readable.from(copies(), { objectMode: false }).pipe(createGunzip())
  },
}

export default gunzip
