import { expect, test } from 'vitest'
import { siteOf } from './site-of.ts'

const filled: Record<string, string> = {
  name: ' nyx ',
  url: 'https://nyx.example/ ',
  port: '8443',
  user: 'la-silla',
  password: ' a:b ',
}

test('siteOf() keeps the password to the letter, and takes spaces off everything else', () => {
  expect(siteOf(name => filled[name]!)).toEqual({
    librarian_name: 'nyx',
    url: 'https://nyx.example',
    port: 8443,
    authenticator: 'la-silla: a:b ',
  })
})

test('siteOf() refuses a user name that the other end would cut at its colon', () => {
  expect(() => siteOf(name => (name === 'user' ? 'a:b' : filled[name]!))).toThrow('colon')
})
