import { EventEmitter } from 'node:events'
import type { ReadStream } from 'node:tty'
import { expect, test } from 'vitest'
import { readSecret } from './read-secret.ts'

function keyboard() {
  const modes: boolean[] = []
  const stdin = Object.assign(new EventEmitter(), {
    setRawMode: (isRaw: boolean) => modes.push(isRaw),
    setEncoding() {},
    pause() {},
    resume() {},
  })
  return { stdin: stdin as unknown as ReadStream, modes, type: (keys: string) => void stdin.emit('data', keys) }
}

const signal = new AbortController().signal

test('a secret is never shown, and the terminal is as it was', async () => {
  const { stdin, modes, type } = keyboard()
  let shown = ''
  const read = readSecret('Password: ', signal, stdin, text => (shown += text))
  type('hunt')
  type('x\u007fer2é\r')
  expect(await read).toBe('hunter2é')
  expect(shown).toBe('Password: \n')
  expect(modes).toEqual([true, false])
})

test('Ctrl-U begins anew, Ctrl-C is a signal again', async () => {
  const { stdin, modes, type } = keyboard()
  const controller = new AbortController()
  const interrupt = () => controller.abort(new Error('interrupted'))
  const read = readSecret('', controller.signal, stdin, () => {}, interrupt)
  type('wrong\u0015right')
  type('\u0003')
  await expect(read).rejects.toThrow('interrupted')
  expect(modes).toEqual([true, false])
  const again = readSecret('', signal, stdin, () => {})
  type('wrong\u0015right\n')
  expect(await again).toBe('right')
})
