/** The routes of a commons by name: what faults are switched on for, and what the log speaks of. */

const ROUTES = [
  'token',
  'oauth',
  'user',
  'download',
  'download-bulk',
  'index',
  'index-bulk',
  'index-list',
  'index-dist',
  'drs-object',
  'drs-access',
  'drs-bulk',
  'drs-access-bulk',
  'drs-authorizations',
  'service-info',
  'wts-list',
  'wts-token',
  'mds',
  'manifests',
  'authz',
  'gdc-data',
  'gdc-files',
  'gdc-versions',
  'resolver',
  'drshub',
  'storage',
  'other',
] as const

export type Route = (typeof ROUTES)[number]

/** `api`: everything but storage. `url`: what hands out URLs. `record`: what describes an object. */
export type RouteGroup = 'api' | 'url' | 'record'

const GROUPS: Readonly<Record<RouteGroup, (route: Route) => boolean>> = {
  api: route => route !== 'storage',
  url: route => ['download', 'download-bulk', 'drs-access', 'drs-access-bulk'].includes(route),
  record: route => ['index', 'index-bulk', 'index-list', 'drs-object', 'drs-bulk'].includes(route),
}

export function isRoute(name: string): name is Route | RouteGroup {
  return name in GROUPS || (ROUTES as readonly string[]).includes(name)
}

export function isWithin(route: Route, place: Route | RouteGroup): boolean {
  return place in GROUPS ? GROUPS[place as RouteGroup](route) : route === place
}
