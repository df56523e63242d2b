/** The ways in which this librarian can send, made from its settings. Nothing is loaded or asked before one is used. */
import { hostname as ownHostname } from 'node:os'
import {
  createCopyMethod,
  createGlobusMethod,
  createRsyncMethod,
  type GlobusServices,
  type Method,
  type MethodName,
} from '@arriero/transfer'
import type { Settings } from '../../config.ts'

export interface MethodsOptions {
  readonly settings: Pick<Settings, 'globus' | 'rsync'>
  /** Of this machine, as receivers name it. Default: the system's. */
  readonly hostname?: string | undefined
  /** The receiver fetches; made by whoever knows how it is told to. */
  readonly http?: Method | undefined
  /** Default: those of Globus. */
  readonly globusServices?: GlobusServices | undefined
}

export function createMethods(options: MethodsOptions): ReadonlyMap<MethodName, Method> {
  const { settings, hostname = ownHostname(), http } = options
  const made = [
    createCopyMethod({ hostname }),
    createRsyncMethod({ hostname, hosts: settings.rsync.hosts }),
    globusMethod(options),
    http,
  ]
  return new Map(made.flatMap(method => (method ? [[method.name, method]] : [])))
}

function globusMethod({ settings: { globus }, globusServices }: MethodsOptions): Method | undefined {
  if (!globus.enable) return undefined
  return createGlobusMethod({
    localEndpointId: globus.localEndpointId,
    clientId: globus.clientId,
    nativeApp: globus.nativeApp,
    clientSecret: () => globus.clientSecret?.reveal() ?? '',
    localRoot: globus.localRoot,
    encryptTransfers: globus.encryptTransfers,
    services: globusServices,
  })
}
