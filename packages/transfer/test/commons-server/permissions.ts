import type { ObjectRecord } from './records.ts'
import type { CommonsState } from './state.ts'
import type { Token } from './tokens.ts'

/** Resources that a caller may read; undefined is anybody. */
export function resourcesOf(state: CommonsState, token: Token | undefined): string[] {
  const own = token?.user === undefined ? [] : (state.grants.get(token.user) ?? [])
  return ['/open', ...own]
}

/** One file: all of its resources must be readable. Bulk: any is enough. */
export function mayRead(
  state: CommonsState,
  token: Token | undefined,
  record: ObjectRecord,
  need: 'all' | 'any' = 'all',
): boolean {
  if (record.authz.length === 0) {
    if (record.acl.includes('*')) return true
    return (
      token?.user !== undefined &&
      record.acl.some(project => resourcesOf(state, token).includes(`/programs/${project}`))
    )
  }
  const resources = resourcesOf(state, token)
  const covers = (path: string) => resources.some(one => path === one || path.startsWith(`${one}/`))
  return need === 'all' ? record.authz.every(covers) : record.authz.some(covers)
}

export function isPublic(record: Pick<ObjectRecord, 'acl' | 'authz'>): boolean {
  return record.authz.length === 0 ? record.acl.includes('*') : record.authz.every(path => path === '/open')
}
