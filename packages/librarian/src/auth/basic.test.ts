import { expect, test } from 'vitest'
import { parseBasic } from './basic.ts'

const header = (bytes: string | Buffer) => `Basic ${Buffer.from(bytes).toString('base64')}`

test('parseBasic() splits at the first colon only', () => {
  expect(parseBasic(header('ada:a:b:'))).toEqual({ username: 'ada', password: 'a:b:' })
  expect(parseBasic(header(':'))).toEqual({ username: '', password: '' })
})

test('parseBasic() reads UTF-8, and Latin-1 where it is none', () => {
  expect(parseBasic(header('zoë:pässwörd'))).toEqual({ username: 'zoë', password: 'pässwörd' })
  expect(parseBasic(header(Buffer.from('zoë:pässwörd', 'latin1')))).toEqual({ username: 'zoë', password: 'pässwörd' })
})

test.each([
  ['nothing', undefined],
  ['nothing in it', ''],
  ['another scheme', 'Bearer YTpi'],
  ['no base64', 'Basic a:b'],
  ['base64 of an impossible length', 'Basic YTpiY'],
  ['no colon', header('ada')],
  ['more than a KiB', header(`ada:${'x'.repeat(1021)}`)],
])('parseBasic() takes %s for no credentials', (_, value) => {
  expect(parseBasic(value)).toBeUndefined()
})

test('parseBasic() takes exactly a KiB, and the scheme in any case', () => {
  expect(parseBasic(header(`ada:${'x'.repeat(1020)}`))?.password).toHaveLength(1020)
  expect(parseBasic(header('a:b').replace('Basic', 'bAsIc'))).toEqual({ username: 'a', password: 'b' })
})
