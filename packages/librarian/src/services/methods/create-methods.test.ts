import type { Method, MethodName } from '@arriero/transfer'
import { describe, expect, test } from 'vitest'
import { type GlobusSettings, Secret } from '../../config.ts'
import { chooseMethod } from './choose-method.ts'
import { createMethods } from './create-methods.ts'

const globus: GlobusSettings = {
  enable: true,
  clientId: 'client',
  nativeApp: false,
  localEndpointId: 'here',
  localRoot: undefined,
  encryptTransfers: true,
  clientSecret: new Secret('Canary-1a2b3c4d'),
}
const rsync = { hosts: { far: { port: 22 } } }
const hostname = 'own'
const offers = {
  local: { hostnames: ['own'] },
  globus: { destination_endpoint: 'there' },
  http: { hostnames: [], protocol: 'pull', version: 1 },
}

/** In the place of a method that is made elsewhere. */
const twin = (name: MethodName, whyNot?: string): Method => ({
  name,
  whyNot: () => whyNot,
  transfer: async (_, { state }) => state,
  status: async () => ({ status: 'running' }),
  cancel: async () => {},
  details: async () => undefined,
})

describe('createMethods()', () => {
  test('makes those that the settings ask for', () => {
    const names = (options: Parameters<typeof createMethods>[0]) => [...createMethods(options).keys()]
    expect(names({ settings: { globus: { ...globus, enable: false }, rsync }, hostname })).toEqual(['local', 'rsync'])
    expect(names({ settings: { globus, rsync }, http: twin('http') })).toEqual(['local', 'rsync', 'globus', 'http'])
  })

  test('they know this machine, and those that the settings name', () => {
    const methods = createMethods({ settings: { globus, rsync }, hostname })
    expect(methods.get('local')?.whyNot({ hostnames: ['own'] })).toBeUndefined()
    expect(methods.get('local')?.whyNot({ hostnames: ['other'] })).toContain('this is own')
    expect(methods.get('globus')?.whyNot({ destination_endpoint: 'x' })).toBeUndefined()
    expect(methods.get('rsync')?.whyNot({ hostname: 'unheard' })).toMatch(/not installed|no settings/)
  })

  test('the login of Globus comes from the settings, and its secret is shown nowhere', async () => {
    const globusServices = { auth: 'http://127.0.0.1:1', transfer: 'http://127.0.0.1:1' }
    const methods = createMethods({ settings: { globus, rsync }, globusServices })
    const standing = await methods.get('globus')!.status({ destination_endpoint: 'x', task_id: 't' })
    expect(standing).toMatchObject({ status: 'unknown', reason: expect.stringContaining('log in to Globus') })
    expect(JSON.stringify(standing)).not.toContain('Canary')
  })
})

describe('chooseMethod()', () => {
  const methods = (...made: Method[]) => new Map(made.map(method => [method.name, method]))
  const chosen = (offered: Record<string, object>, ...made: Method[]) => {
    const choice = chooseMethod(offered as never, methods(...made))
    return 'method' in choice ? choice.method.name : choice.whyNot
  }

  test('takes the first that is valid, in the order of the receiver', () => {
    expect(chosen(offers, twin('globus'), twin('local'), twin('http'))).toBe('local')
    expect(chosen({ globus: offers.globus, local: offers.local }, twin('globus'), twin('local'))).toBe('globus')
    expect(chosen(offers, twin('local', 'not this machine'), twin('globus'), twin('http'))).toBe('globus')
  })

  test('the receiver fetches where nothing else is valid, wherever that stands', () => {
    const { http, ...others } = offers
    expect(chosen({ http, ...others }, twin('local'), twin('http'))).toBe('local')
    expect(chosen({ http, ...others }, twin('local', 'no'), twin('http'))).toBe('http')
  })

  test('goes by the fields and not by the key, and gives every field', () => {
    const choice = chooseMethod({ globus: { hostnames: ['own'] } }, methods(twin('local'), twin('globus')))
    expect(choice).toMatchObject({
      method: { name: 'local' },
      state: { transfer_attempted: false, bytes_transfer: null },
    })
  })

  test('says why each of them cannot be used', () => {
    expect(chosen({ ...offers, tape: { robot: 1 } }, twin('local', 'not this machine'))).toBe(
      'local: not this machine; globus: it is not set up here; tape: it is of no kind that is known here; http: it is not set up here',
    )
    expect(chosen({})).toBe('the receiver offers none')
  })
})
