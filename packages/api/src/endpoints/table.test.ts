import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../endpoint.ts'
import { errorTable } from '../errors.ts'
import { endpoints } from './index.ts'

const all = Object.values(endpoints).flatMap(group => Object.values<Endpoint>(group))

/** Path, least level, status: librarian 10, written down a second time. */
const real: [path: string, level: string, status: number][] = [
  ['ping/', 'NONE', 200],
  ['ping/logged', 'READONLY', 200],
  ['ping/admin', 'ADMIN', 200],
  ['upload/stage', 'READAPPEND', 201],
  ['upload/commit', 'READAPPEND', 200],
  ['clone/stage', 'READAPPEND', 201],
  ['clone/batch_stage', 'READAPPEND', 201],
  ['clone/ongoing', 'READAPPEND', 200],
  ['clone/staged', 'CALLBACK', 200],
  ['clone/complete', 'CALLBACK', 200],
  ['clone/fail', 'READAPPEND', 200],
  ['checkin/update', 'CALLBACK', 200],
  ['checkin/status', 'CALLBACK', 200],
  ['search/file', 'READONLY', 200],
  ['search/error', 'ADMIN', 200],
  ['search/instance_local', 'ADMIN', 200],
  ['search/instance_remote', 'ADMIN', 200],
  ['error/clear', 'ADMIN', 200],
  ['users/create', 'ADMIN', 201],
  ['users/update', 'ADMIN', 200],
  ['users/delete', 'ADMIN', 200],
  ['users/get', 'ADMIN', 200],
  ['users/password_update', 'READONLY', 200],
  ['admin/add_file', 'ADMIN', 200],
  ['admin/stores/list', 'ADMIN', 200],
  ['admin/stores/state_change', 'ADMIN', 200],
  ['admin/stores/manifest', 'ADMIN', 200],
  ['admin/librarians/list', 'ADMIN', 200],
  ['admin/librarians/add', 'ADMIN', 200],
  ['admin/librarians/remove', 'ADMIN', 200],
  ['admin/librarians/transfer_status/change', 'ADMIN', 200],
  ['admin/instance/delete_local', 'ADMIN', 200],
  ['admin/instance/delete_remote', 'ADMIN', 200],
  ['validate/file', 'READONLY', 200],
  ['corrupt/prepare', 'CALLBACK', 200],
  ['corrupt/resend', 'CALLBACK', 200],
]

test.each(real)('%s demands %s and succeeds with %d', (path, level, status) => {
  const found = all.filter(endpoint => endpoint.path === path)
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({ level })
  expect(found[0]?.status ?? 200).toBe(status)
  expect(found[0]?.isOurs).toBe(undefined)
})

test('what is not in the older librarian is marked as ours', () => {
  const added = all.filter(endpoint => endpoint.isOurs).map(endpoint => endpoint.path)
  expect([...added, ...real.map(([path]) => path)].toSorted()).toEqual(all.map(endpoint => endpoint.path).toSorted())
})

test('no two endpoints share a path or an alias, and each begins without a slash', () => {
  const paths = all.flatMap(endpoint => [endpoint.path, ...(endpoint.aliases ?? [])])
  const bare = paths.map(path => path.replace(/\/$/, ''))
  expect(new Set(bare).size).toBe(paths.length)
  expect(paths.filter(path => path.startsWith('/'))).toEqual([])
})

test('both spellings of the switch for sending are there (Q2)', () => {
  expect(endpoints.admin.transferStatusChange.aliases).toEqual(['admin/librarians/transfer_status/set'])
})

test('only listing stores may come without a body', () => {
  expect(all.filter(endpoint => endpoint.bodyIsOptional).map(endpoint => endpoint.path)).toEqual(['admin/stores/list'])
})

test('endpoints that only look are those that their names say', () => {
  const looking = all.filter(endpoint => !endpoint.mutates).map(endpoint => endpoint.path)
  expect(
    looking.filter(
      path =>
        !/^(ping|search|validate|transfers|dashboard)\/|\/(list|get|status|prepare|deletion_plan|key|candidates|items|receipt|receipt_page)$/.test(
          path,
        ),
    ),
  ).toEqual([])
  const changing = all.filter(endpoint => endpoint.mutates).map(endpoint => endpoint.path)
  expect(changing.filter(path => /^(ping|search|transfers)\/|\/(list|get|status)$/.test(path))).toEqual([])
})

describe.each(all.map(endpoint => [endpoint.path, endpoint] as const))('%s', (_, endpoint) => {
  test('refuses bodies that are no object', () => {
    for (const body of [null, [], 'x', 5, true, undefined]) {
      expect(endpoint.request.safeParse(body).success).toBe(false)
    }
  })

  test('fails with statuses of failures', () => {
    for (const failure of Object.values(endpoint.failures ?? {})) {
      expect(failure.status).toBeGreaterThanOrEqual(400)
      expect(failure.status).toBeLessThan(600)
    }
    expect(Object.keys(endpoint.failures ?? {}).filter(code => !Object.hasOwn(errorTable, code))).toEqual([])
  })

  test('has no reason in which real clients read something else (Q6)', () => {
    const reasons = Object.values(endpoint.failures ?? {}).map(failure => String(failure.reason))
    expect(reasons.filter(reason => /User already exists|User not found/.test(reason))).toEqual([])
  })
})
