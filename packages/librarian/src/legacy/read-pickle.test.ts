import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { readPickle } from './read-pickle.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

/** `pickle.dumps` of Python 3.11 for the settings of a store, by protocol. */
const store = {
  0:
    '28647030' +
    '0a56' +
    Buffer.from('name').toString('hex') +
    '0a70310a56' +
    Buffer.from('main').toString('hex') +
    '0a70320a73' +
    '2e',
  4: '80049514000000000000007d948c046e616d65948c046d61696e94732e',
}

const program = `
import json, pickle, sys
value = {"name": "s", "staging_path": "/tmp/ü", "f": 1.5, "n": -3, "big": 5000000000, "neg": -300, "m": 70000, "b": [True, False, None],
  "t": (1, 2), "t4": (1, 2, 3, 4), "d": {"local": {"hostnames": ["h", "h"], "available": "true"}}, "__proto__": "x", "e": {}, "l": [], "long": "x" * 300}
print(json.dumps({"value": value, "pickles": [pickle.dumps(value, protocol).hex() for protocol in range(6)]}))`

function byPython(): { value: unknown; pickles: string[] } | undefined {
  try {
    return JSON.parse(execFileSync('python3', ['-c', program], { encoding: 'utf8' }))
  } catch {
    return undefined
  }
}

describe('readPickle()', () => {
  test.each(Object.entries(store))('reads a dict of protocol %s', (_, text) => {
    expect(plain(readPickle(hex(text)))).toEqual({ name: 'main' })
  })

  const made = byPython()
  test.skipIf(!made)('reads what Python writes, in every protocol', () => {
    for (const text of made!.pickles) expect(JSON.stringify(readPickle(hex(text)))).toBe(JSON.stringify(made!.value))
  })

  test.each([
    ['a function by its name', '80049514000000000000008c05706f736978948c0673797374656d9493942e'],
    ['a global of protocol 0', Buffer.from('cposix\nsystem\n.').toString('hex')],
    ['a call', Buffer.from("cos\nsystem\n(S'true'\ntR.").toString('hex')],
    ['what is cut off', '80049514000000000000007d948c046e61'],
    ['nothing', ''],
    ['an empty stack', '2e'],
    ['a number that JSON cannot hold', '80048a09ffffffffffffffff7f2e'],
    ['a key that is no text', '80047d4b014b02732e'],
  ])('refuses %s', (_, text) => {
    expect(() => readPickle(hex(text))).toThrow(/Cannot read a pickled value/)
  })

  test('a key is data, whatever it says', () => {
    const value = readPickle(
      hex('80047d8c095f5f70726f746f5f5f7d8c0178884b0173732e'.replace('8c0178884b0173', '8c017888' + '73')),
    ) as object
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })
})
