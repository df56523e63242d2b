/** A thread that runs one pass over bytes after the other. Bytes come in as shared memory; what it makes is handed over. */
import { parentPort } from 'node:worker_threads'
import { bindEngineImports } from './engine-imports.ts'
import { ownedBuffers } from './owned-buffers.ts'
import type { FromPass, ToPass } from './transform-job.ts'

type Transform = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<unknown> | undefined
type Said = FromPass extends infer Message ? (Message extends unknown ? Omit<Message, 'pass'> : never) : never

bindEngineImports()

const port = parentPort as NonNullable<typeof parentPort>

class Pass {
  readonly number: number
  readonly #output: Promise<AsyncIterator<unknown>>
  /** Who waits for bytes. */
  #wanting: PromiseWithResolvers<Uint8Array | undefined> | undefined

  constructor(number: number, module: string, name: string) {
    this.number = number
    this.#output = this.#begin(module, name)
    // Told when it is asked for.
    this.#output.catch(() => {})
  }

  async answer(message: ToPass): Promise<void> {
    try {
      switch (message.say) {
        case 'next':
          return await this.#step()
        case 'input':
          return this.#wanting?.resolve(message.bytes)
        case 'end':
          return this.#wanting?.resolve(undefined)
        case 'lost':
          return this.#wanting?.reject(new Error(message.message))
        case 'leave':
          await (await this.#output).return?.()
          return this.#say({ say: 'done' })
      }
    } catch (error) {
      this.#say(thrown(error))
    }
  }

  async #begin(module: string, name: string): Promise<AsyncIterator<unknown>> {
    const exported: Record<string, unknown> = await import(module)
    const transform = exported[name]
    if (typeof transform !== 'function') throw new TypeError(`${module} exports no function ${name}`)
    const output = (transform as Transform)(this.#input())
    const open = output?.[Symbol.asyncIterator]
    if (typeof open !== 'function') throw new TypeError('it must give an async iterable of bytes')
    return open.call(output)
  }

  async #step(): Promise<void> {
    const { done, value } = await (await this.#output).next()
    if (done) return this.#say({ say: 'done' })
    const { value: bytes, buffers } = ownedBuffers(value)
    this.#say({ say: 'output', bytes }, buffers)
  }

  async *#input(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      this.#wanting = Promise.withResolvers()
      this.#say({ say: 'want' })
      const bytes = await this.#wanting.promise
      if (bytes === undefined) return
      yield bytes
    }
  }

  #say(message: Said, buffers: readonly ArrayBuffer[] = []): void {
    port.postMessage({ ...message, pass: this.number }, buffers)
  }
}

function thrown(error: unknown): Said {
  const { name, message, stack, code } = (
    error instanceof Error ? error : new Error(String(error))
  ) as NodeJS.ErrnoException
  return { say: 'thrown', name, message, stack, code: typeof code === 'string' ? code : undefined }
}

let pass: Pass | undefined

port.on('message', (message: ToPass) => {
  if (message.say === 'begin') pass = new Pass(message.pass, message.module, message.name)
  else if (message.pass === pass?.number) void pass.answer(message)
})
