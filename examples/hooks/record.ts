import { createWriteStream, type WriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { HookArguments, Hooks } from '@arriero/transfer'

/** Writes a line for every file. Made once for a call, and closed at its end, also when it fails. */
export default class Recorder implements Hooks {
  readonly #lines: WriteStream = createWriteStream('record.jsonl', { flags: 'a' })

  onFileDone({ uri, file, bytes, error }: HookArguments['onFileDone']) {
    this.#lines.write(`${JSON.stringify({ uri, file, bytes, ok: error === undefined })}\n`)
  }

  async [Symbol.asyncDispose]() {
    this.#lines.end()
    await finished(this.#lines)
  }
}
