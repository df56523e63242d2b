import { describe, expect, test } from 'vitest'
import { outsideOnly } from '../http/addresses.ts'
import { isInside } from '../http/is-inside.ts'
import { createOrigins } from '../http/origins.ts'
import { Api, type ApiRequest } from './api.ts'
import { Commons } from './commons.ts'

/** A commons that answers by path, and notes what it was asked. */
function scripted(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = []
  const api = {
    ask: async ({ url }: ApiRequest) => {
      const path = new URL(url).pathname
      asked.push(path)
      const found = answers[path]
      const body = JSON.stringify(found ?? { msg: 'not found' })
      return { status: found === undefined ? 404 : 200, headers: {}, body, url: new URL(url) }
    },
  } as unknown as Api
  return { commons: new Commons(api, { home: 'https://home.test' }), asked }
}

const signal = new AbortController().signal
const objects = '/ga4gh/drs/v1/objects'
const blob = (id: string) => ({
  id,
  self_uri: `drs://home.test/${id}`,
  size: 3,
  checksums: [{ type: 'md5', checksum: '0'.repeat(32) }],
  access_methods: [{ type: 'https', access_id: 'a' }],
})

describe('Commons', () => {
  test.each(['file:///etc/passwd', '/etc/passwd', 'drs:self', 'sftp://host/x', 'javascript:1'])(
    'opens no address of the kind %s, whoever names it',
    async url => {
      const { commons } = scripted({ [`${objects}/x`]: blob('x'), [`${objects}/x/access/a`]: { url } })
      const { ways } = await commons.locate('drs://home.test/x', { signal })
      await expect(ways[0]?.access(signal)).rejects.toMatchObject({ details: { reason: 'unsafe_address' } })
    },
  )

  test.each(['drs:../../user/logout', 'drs://home.test/..', 'drs://home.test/a/./b', 'drs://home.test/%2E%2E/x'])(
    'refuses %s before anybody is asked',
    async uri => {
      const { commons, asked } = scripted({})
      await expect(commons.locate(uri, { signal })).rejects.toMatchObject({ code: 'Usage' })
      expect(asked).toEqual([])
    },
  )

  test.each(['drs://127.0.0.1:8443/x', 'drs://[::1]:8443/x', 'drs://localhost:8443/x'])(
    'takes the host of %s for a host, and refuses it without asking anybody',
    async uri => {
      const outside = createOrigins({ addresses: outsideOnly })
      const api = new Api({ origins: () => Promise.reject(new Error('nobody named it')), outside: async () => outside })
      await expect(new Commons(api, {}).locate(uri, { signal })).rejects.toMatchObject({
        details: { reason: 'unsafe_host' },
      })
      await outside.close()
    },
  )

  test('an object of which nobody knows the host names those that could not be asked', async () => {
    const api = { ask: () => Promise.reject(new Error('no route')) } as unknown as Api
    await expect(new Commons(api, {}).locate('drs:1234', { signal })).rejects.toMatchObject({
      code: 'Network',
      message: expect.stringContaining('no answer from dataguids.org'),
    })
  })

  test('what a bundle names is an object, in whatever spelling; one that is missing hides no other', async () => {
    const contents = [
      { name: 'a', drs_uri: ['drs://home.test/a'] },
      { name: 'b', drs_uri: '/tmp/secret' },
      { name: 'c', drs_uri: `https://home.test${objects}/c` },
      { name: 'gone', id: 'gone' },
    ]
    const { commons } = scripted({
      [`${objects}/bundle`]: { id: 'bundle', self_uri: 'drs://home.test/bundle', contents },
      [`${objects}/a`]: blob('a'),
      [`${objects}/c`]: blob('c'),
    })
    const listed = await commons.contents('drs://home.test/bundle', { signal, most: 4 })
    expect(listed.contents.map(({ name, uri }) => [name, uri])).toEqual([
      ['a', 'drs://home.test/a'],
      ['b', `drs://home.test/${encodeURIComponent('/tmp/secret')}`],
      ['c', 'drs://home.test/c'],
      ['gone', 'drs://home.test/gone'],
    ])
    const asking = commons.contents('drs://home.test/bundle', { signal, most: 3 })
    await expect(asking).rejects.toMatchObject({ details: { reason: 'bundle_too_large' } })
  })
})

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '169.254.169.254',
  '255.255.255.255',
  '198.18.0.1',
  '::1',
  '::ffff:127.0.0.1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  'fec0::1',
  'ff02::1',
  'fd00::1',
])('%s is inside', address => expect(isInside(address)).toBe(true))

test.each(['8.8.8.8', '151.101.1.69', '2606:4700::6810:84e5'])('%s is outside', address =>
  expect(isInside(address)).toBe(false),
)
