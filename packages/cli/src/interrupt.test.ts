import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { ProgramError } from './errors.ts'
import { abortOnSignals } from './interrupt.ts'

function setUp() {
  const source = new EventEmitter()
  const controller = new AbortController()
  const exits: number[] = []
  let time = 0
  abortOnSignals(
    controller,
    source,
    code => exits.push(code),
    () => time,
  )
  return { source, controller, exits, wait: (ms: number) => (time += ms) }
}

test('the first signal aborts with its own exit code and does not exit', () => {
  const { source, controller, exits } = setUp()
  source.emit('SIGTERM')
  expect(controller.signal.reason).toBeInstanceOf(ProgramError)
  expect(controller.signal.reason).toMatchObject({ code: 'Cancelled', exitCode: 143 })
  expect(exits).toEqual([])
})

test('the second signal exits at once', () => {
  const { source, exits, wait } = setUp()
  source.emit('SIGINT')
  wait(500)
  source.emit('SIGINT')
  expect(exits).toEqual([130])
})

test('the same Ctrl-C, from the terminal and from the launcher, counts once', () => {
  const { source, exits, wait } = setUp()
  source.emit('SIGINT')
  wait(20)
  source.emit('SIGINT')
  expect(exits).toEqual([])
})
