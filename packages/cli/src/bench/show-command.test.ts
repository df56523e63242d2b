import { expect, test } from 'vitest'
import { hideInText, showCommand } from './show-command.ts'

test('showCommand() shows our program by its name, and no secrets', () => {
  const argv = ['/n/node', '/x/bin/arriero.js', 'bench-run', 'https://me:pw@h/x?sig=abc', '--header', 'X-Key: abc']
  expect(showCommand({ argv })).toBe("arriero bench-run 'https://***@h/x?***' --header 'X-Key: ***'")
  expect(showCommand({ argv: ['curl', 'https://h/a b'], stdout: 'null' })).toBe("curl 'https://h/a b' >/dev/null")
})

test('hideInText() hides what addresses may hold', () => {
  expect(hideInText('GET ftp://u:p@h/x failed; see https://h/y?token=t now')).toBe(
    'GET ftp://***@h/x failed; see https://h/y?*** now',
  )
})
