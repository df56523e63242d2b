import { describe, expect, test } from 'vitest'
import { methodOf, readProvider } from './provider.ts'

const begun = { transfer_attempted: false, transfer_complete: false }

describe('readProvider()', () => {
  test.each([
    ['local', { hostnames: ['h'] }, { hostnames: ['h'], ...begun, start_time_transfer: null, bytes_transfer: null }],
    ['rsync', { hostname: 'h' }, { hostname: 'h', ...begun }],
    [
      'globus',
      { destination_endpoint: 'UUID' },
      { destination_endpoint: 'UUID', native_app: false, ...begun, task_id: '' },
    ],
    [
      'http',
      { hostnames: [], protocol: 'pull', version: 1 },
      { hostnames: [], protocol: 'pull', version: 1, ...begun },
    ],
  ])('knows %s by its fields, and fills in the others', (name, provider, state) => {
    expect(readProvider(provider)).toEqual({ name, state })
    expect(readProvider({ ...provider, from_tomorrow: 1 })).toEqual({ name, state: { ...state, from_tomorrow: 1 } })
  })

  test.each([
    ['a copy on no machine', { hostnames: [] }, 'local'],
    ['a pull that is not understood', { hostnames: [], protocol: 'pull', version: 2 }, 'local'],
    ['fields of two kinds, more of the second', { hostname: 'h', destination_endpoint: 'e', ...begun }, 'globus'],
    [
      'fields of two kinds, more of the first',
      { hostname: 'h', hostnames: ['h'], bytes_transfer: 3, ...begun },
      'local',
    ],
    ['as many of both: the order decides', { hostname: 'h', hostnames: ['h'] }, 'rsync'],
  ])('takes %s for what real librarians take it for', (_, provider, name) => {
    expect(readProvider(provider)?.name).toBe(name)
  })

  test.each([{}, { url: 'x' }, { hostnames: 'h' }, { hostname: 1 }, null, 'local', [], { task_id: 'x' }])(
    'knows nothing of %j',
    provider => {
      expect(readProvider(provider)).toBeUndefined()
    },
  )

  test('methodOf() knows a state that has come on', () => {
    expect(methodOf({ hostnames: ['h'], ...begun, transfer_complete: true, end_time_transfer: 'x' })).toBe('local')
    expect(methodOf({ hostname: 'h', ...begun, start_time_transfer: 'x', bytes_transfer: 1 })).toBe('rsync')
  })
})
