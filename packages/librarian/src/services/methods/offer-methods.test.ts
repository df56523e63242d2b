import { describe, expect, test } from 'vitest'
import { offerMethods } from './offer-methods.ts'
import { readProvider } from './provider.ts'

const local = { available: true, hostnames: ['h'] }
const rsync = { available: 'true', hostname: 'h' }
const globus = { available: true, destination_endpoint: 'UUID' }

describe('offerMethods()', () => {
  test('offers what is available in the form of the wire, to the letter', () => {
    const configured = { local, rsync, globus }
    const offered = offerMethods({ configured, hasStaging: true, canPull: true })
    expect(JSON.stringify(offered)).toBe(
      '{"local":{"hostnames":["h"],"transfer_attempted":false,"transfer_complete":false,"start_time_transfer":null,' +
        '"bytes_transfer":null},"globus":{"destination_endpoint":"UUID","native_app":false,"transfer_attempted":false,' +
        '"transfer_complete":false,"task_id":""},"rsync":{"hostname":"h","transfer_attempted":false,' +
        '"transfer_complete":false},"http":{"hostnames":[],"protocol":"pull","version":1,"transfer_attempted":false,' +
        '"transfer_complete":false}}',
    )
    expect(Object.keys(offerMethods({ configured, hasStaging: true, canPull: false }))).toEqual([
      'local',
      'globus',
      'rsync',
    ])
  })

  test.each([
    [{ rsync, local }, true, ['local', 'rsync', 'http']],
    [{ rsync, globus }, true, ['globus', 'rsync', 'http']],
    [{ rsync }, true, ['http', 'rsync']],
    [{ rsync }, false, []],
    [{ globus, local }, false, ['globus', 'local']],
    [{}, true, ['http']],
    [undefined, false, []],
  ])('%j: rsync is never first', (configured, canPull, keys) => {
    expect(Object.keys(offerMethods({ configured, hasStaging: true, canPull }))).toEqual(keys)
  })

  test('what is not available, and what needs a staging area where there is none, is not offered', () => {
    const configured = {
      local: { ...local, available: false },
      globus: { destination_endpoint: 'e' },
      rsync: { ...rsync, available: '' },
    }
    expect(offerMethods({ configured, hasStaging: true, canPull: false })).toEqual({})
    expect(Object.keys(offerMethods({ configured: { local, globus }, hasStaging: false, canPull: true }))).toEqual([
      'http',
    ])
  })

  test('an entry that would make real senders refuse everything is refused', () => {
    const configured = { tape: { available: true, robot: 3 } }
    expect(() => offerMethods({ configured, hasStaging: true, canPull: true })).toThrow(/tape.*must have/)
  })

  test('every offer is read as what it is', () => {
    const offered = offerMethods({ configured: { local, rsync, globus }, hasStaging: true, canPull: true })
    for (const [key, provider] of Object.entries(offered)) expect(readProvider(provider)?.name).toBe(key)
  })
})
