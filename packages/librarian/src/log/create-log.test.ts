import { expect, test } from 'vitest'
import { createLog } from './create-log.ts'

function logged(act: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  act(createLog({ level: 'debug', name: 'here', write: line => lines.push(line) }))
  return lines.join('')
}

test('createLog() writes a line of JSON per event', () => {
  const text = logged(log => {
    log.info({ id: 'a' }, 'One')
    log.error({ err: new Error('broken') }, 'Two')
  })
  const lines = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines).toMatchObject([
    { level: 'info', name: 'here', id: 'a', msg: 'One' },
    { level: 'error', msg: 'Two', err: { message: 'broken', stack: expect.any(String) } },
  ])
})

test.each([
  ['a field', { password: 'CANARY' }, 'x'],
  ['a field below', { request: { headers: { authorization: 'Basic CANARY' } } }, 'x'],
  ['a peer’s credentials', { authenticator: 'here:CANARY' }, 'x'],
  ['a message with a URL', {}, 'Cannot fetch https://u:CANARY@example.org/a?X-Amz-Signature=CANARY'],
  ['a message with a header', {}, 'sent Authorization: Bearer CANARY'],
  ['an error', { err: new Error('https://u:CANARY@example.org failed') }, 'x'],
  [
    'what caused an error',
    { err: new Error('x', { cause: new Error('token=CANARY at https://h/?token=CANARY') }) },
    'x',
  ],
])('createLog() hides secrets in %s', (_, fields, message) => {
  const text = logged(log => log.error(fields, message))
  expect(text).not.toContain('CANARY')
})

test('createLog() leaves nothing in that could move a cursor, turn text round or begin a line', () => {
  const text = logged(log => log.info({ name: 'a\u001b[2J\u009b1m\u202eb\u2028c\nd' }, 'x\r\ny'))
  expect(text.trimEnd()).toMatch(/^[\u0020-\u007e]*$/)
  expect(JSON.parse(text)).toMatchObject({ name: 'a\u001b[2J\u009b1m\u202eb\u2028c\nd', msg: 'x\r\ny' })
})
