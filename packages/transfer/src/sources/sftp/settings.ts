/** From URL, options and configuration to how a connection is made; everything but the network is asked here. */
import { readFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { TransferError } from '../../errors.ts'
import type { SftpAddress } from './address.ts'
import { type HostKeyPolicy, parseFingerprint } from './host-key.ts'
import { knownName, lookUpKnownHost } from './known-hosts.ts'
import type { SftpOptions } from './options.ts'
import { expandTokens, readSshConfig, type SshConfig, underHome } from './ssh-config.ts'

/** Where a connection goes, and what is shown there. */
export interface SshSettings {
  readonly host: string
  readonly port: number
  /** For messages: `host:port`, and the same as a URL. */
  readonly where: string
  readonly uri: string
  readonly user: string
  readonly password: string | undefined
  readonly passphrase: string | undefined
  readonly identities: readonly IdentityFile[]
  readonly agent: string | undefined
  /** The agent's other keys are not offered. */
  readonly isIdentitiesOnly: boolean
  readonly hostKey: HostKeyPolicy
}

export interface IdentityFile {
  readonly path: string
  /** The user named it: it must be there. Others are passed over in silence. */
  readonly isExplicit: boolean
}

/** The machine and user that connect. */
export interface SshSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly userName: string
}

export function localSurroundings(): SshSurroundings {
  const home = homedir()
  return { env: process.env, home, userName: nameOfUser() }
}

const DEFAULT_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa']

export async function resolveSettings(
  address: SftpAddress,
  options: SftpOptions,
  surroundings: SshSurroundings,
): Promise<SshSettings> {
  const { env, home, userName } = surroundings
  const config = await readSshConfig(configFiles(options, home), address.host, home)
  refuseProxies(config, address.host)
  const one = (key: string) => config.get(key)?.[0]
  const host = expandTokens(one('hostname') ?? address.host, { h: address.host }) ?? address.host
  const port = address.port ?? portOf(one('port')) ?? 22
  const user = address.user ?? options.username ?? one('user') ?? userName
  const fill = (path: string) =>
    expandTokens(underHome(path, home), { h: host, d: home, u: userName, r: user, p: String(port) })
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const uri = `sftp://${where.replace(/:22$/, '')}/`
  return {
    host,
    port,
    where,
    uri,
    user,
    password: address.password ?? options.password ?? env.ARRIERO_SFTP_PASSWORD,
    passphrase: options.passphrase ?? env.ARRIERO_SFTP_PASSPHRASE,
    identities: identitiesOf(options, config, home, fill),
    agent: agentOf(options, one('identityagent'), env, fill),
    isIdentitiesOnly: one('identitiesonly')?.toLowerCase() === 'yes',
    hostKey: await hostKeyPolicy(options, config, { host, port, uri, home, fill }),
  }
}

function configFiles({ config }: SftpOptions, home: string): string[] {
  if (config === false) return []
  return config === undefined ? [join(home, '.ssh/config'), '/etc/ssh/ssh_config'] : [config]
}

function refuseProxies(config: SshConfig, host: string): void {
  for (const [key, name] of [
    ['proxyjump', 'ProxyJump'],
    ['proxycommand', 'ProxyCommand'],
  ] as const) {
    const value = config.get(key)?.[0]
    if (value === undefined || value.toLowerCase() === 'none') continue
    throw new TransferError(
      'Unsupported',
      `Cannot connect to ${host}: ${name}, which the SSH configuration has for it, is not supported`,
      { remedy: 'Forward a port yourself, e.g. ssh -N -L 2222:HOST:22 JUMP, and fetch from sftp://localhost:2222/.' },
    )
  }
}

function identitiesOf(
  { identity }: SftpOptions,
  config: SshConfig,
  home: string,
  fill: (path: string) => string | undefined,
): IdentityFile[] {
  if (identity !== undefined) {
    return [identity].flat().map(path => ({ path: underHome(path, home), isExplicit: true }))
  }
  const configured = config.get('identityfile')?.map(fill)
  const paths = configured ?? DEFAULT_IDENTITIES.map(name => join(home, '.ssh', name))
  return paths
    .filter(path => path !== undefined && path !== 'none')
    .map(path => ({ path: path as string, isExplicit: false }))
}

function agentOf(
  { agent }: SftpOptions,
  configured: string | undefined,
  env: SshSurroundings['env'],
  fill: (path: string) => string | undefined,
): string | undefined {
  if (agent !== undefined) return agent || undefined
  if (configured === undefined || configured === 'SSH_AUTH_SOCK') return env.SSH_AUTH_SOCK || undefined
  if (configured === 'none') return undefined
  return configured.startsWith('$') ? env[configured.replace(/^\$\{?|\}$/g, '')] : fill(configured)
}

interface HostKeySearch {
  readonly host: string
  readonly port: number
  readonly uri: string
  readonly home: string
  fill(path: string): string | undefined
}

async function hostKeyPolicy(
  options: SftpOptions,
  config: SshConfig,
  { host, port, uri, home, fill }: HostKeySearch,
): Promise<HostKeyPolicy> {
  const { knownHosts, hostKey } = options
  const users = config.get('userknownhostsfile') ?? ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']
  const global = config.get('globalknownhostsfile') ?? ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']
  const named = knownHosts === undefined ? undefined : [knownHosts].flat().map(path => underHome(path, home))
  const files = named ?? [...users, ...global].map(fill).filter(path => path !== undefined && path !== 'none')
  const read = await Promise.all(files.map(file => readKnownHosts(file as string, named !== undefined)))
  const texts = read.filter(text => text !== undefined)
  const alias = config.get('hostkeyalias')?.[0]
  const name = alias ?? knownName(host, port)
  const found = files.filter((_, index) => read[index] !== undefined) as string[]
  return {
    host: name,
    uri,
    known: lookUpKnownHost(texts, name),
    knownWithoutPort: lookUpKnownHost(texts, alias ?? knownName(host, 22)),
    fingerprint: hostKey === undefined ? undefined : parseFingerprint(hostKey),
    files: found.length > 0 ? found : (files.slice(0, 1) as string[]),
  }
}

async function readKnownHosts(file: string, isNamed: boolean): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (!isNamed && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw new TransferError('Disk', `Cannot read the known hosts in ${file}: ${code}`, { file, cause })
  }
}

function portOf(text: string | undefined): number | undefined {
  const port = Number(text)
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined
}

/** Containers run as users that no file names. */
function nameOfUser(): string {
  try {
    return userInfo().username
  } catch {
    return process.env.USER ?? process.env.LOGNAME ?? 'root'
  }
}
