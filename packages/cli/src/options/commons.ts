/** Flags that speak of data commons, and what the environment says of them (gen3 2.5). */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { type Command, Option } from 'commander'
import { type Context, warn } from '../context.ts'
import type { CommonsOptions, Credential, EngineDoor } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { collect } from './collect.ts'
import { readText } from './read-text.ts'

export interface CommonsFlags {
  readonly cred?: readonly string[]
  readonly commonsUrl?: string
  readonly trustCommons?: boolean
  readonly drsMap?: readonly string[]
  readonly protocol?: string
  readonly userProject?: string
  readonly drsHub?: string
  readonly gdcToken?: string
  readonly gdcServer?: string
  readonly relatedFiles?: boolean
  readonly allowPort?: boolean
  readonly anonymous?: boolean
}

export function addCommonsOptions(command: Command): Command {
  return command
    .optionsGroup('Data commons:')
    .addOption(
      new Option('--cred <FILE>', 'credentials.json of a commons; repeatable (default: ~/.gen3)').argParser(collect),
    )
    .addOption(new Option('--commons-url <URL>', 'the commons of objects that name none'))
    .addOption(new Option('--protocol <NAME>', 'take copies from here first: s3, gs, https, …'))
    .addOption(
      new Option('--trust-commons', 'where manifest and commons contradict each other, take the commons’s word'),
    )
    .addOption(new Option('--drs-map <PREFIX=HOST>', 'which host serves a prefix; repeatable').argParser(collect))
    .addOption(new Option('--drs-hub <URL>', 'resolve objects by a Terra DRSHub; token in DRSHUB_TOKEN'))
    .addOption(new Option('--gdc-token <FILE>', 'token of the Genomic Data Commons'))
    .addOption(new Option('--no-related-files', 'not the index and metadata files of files of the GDC'))
    .addOption(new Option('--gdc-server <URL>', 'another server than the GDC’s own').hideHelp())
    .addOption(new Option('--allow-port', 'take ports and hosts of this machine in DRS names').hideHelp())
}

/** Reads credentials now: those that cannot be used end the program before anything is fetched. */
export async function commonsOptions(
  flags: CommonsFlags,
  context: Context,
  door: Pick<EngineDoor, 'readCredentials' | 'parseCredentials' | 'tokenCredential'>,
): Promise<CommonsOptions> {
  const { env } = context.terminal
  const home = env.HOME ?? homedir()
  const resolver = env.DRS_RESOLVER_HOSTNAME
  const cache = env.XDG_CACHE_HOME || join(home, '.cache')
  return {
    credentials: flags.anonymous ? [] : await credentialsFrom(flags, context, home, door),
    home: flags.commonsUrl ?? env.GEN3_COMMONS_URL ?? env.GEN3_ENDPOINT,
    protocol: flags.protocol,
    prefixes: flags.drsMap && Object.fromEntries(flags.drsMap.map(readMapping)),
    resolver: resolver && (/^https?:/.test(resolver) ? resolver : `https://${resolver}`),
    userProject: flags.userProject,
    drsHub: flags.drsHub,
    drsHubToken: env.DRSHUB_TOKEN,
    gdc: flags.gdcServer,
    hasRelatedFiles: flags.relatedFiles,
    gdcToken: flags.gdcToken === undefined ? undefined : readText(flags.gdcToken, '--gdc-token').trim(),
    allowPort: flags.allowPort,
    tokenCache: join(cache, 'gen3'),
    hostCache: env.DRS_CACHE ?? join(home, '.drs_cache', 'resolved_drs_hosts.json'),
  }
}

async function credentialsFrom(
  flags: CommonsFlags,
  context: Context,
  home: string,
  door: Pick<EngineDoor, 'readCredentials' | 'parseCredentials' | 'tokenCredential'>,
): Promise<Credential[]> {
  const { env } = context.terminal
  const credentials: Credential[] = []
  for (const given of flags.cred ?? keysOf(env, home)) {
    if (given.startsWith('accesstoken:///')) {
      credentials.push(door.tokenCredential(given.slice('accesstoken:///'.length)))
      continue
    }
    if (given.startsWith('apikey:///')) {
      const key = JSON.stringify({ api_key: given.slice('apikey:///'.length) })
      credentials.push(door.parseCredentials(key, 'of the profile'))
      continue
    }
    const { credential, warnings } = await door.readCredentials(given)
    for (const warning of warnings) warn(context, `${warning}.`)
    credentials.push(credential)
  }
  if (flags.cred === undefined && env.GEN3_TOKEN) credentials.push(door.tokenCredential(env.GEN3_TOKEN))
  return credentials
}

/** As the Gen3 SDK reads GEN3_API_KEY: a path, or a name within ~/.gen3. Without it, only a file that is there counts. */
function keysOf(env: Readonly<Record<string, string | undefined>>, home: string): string[] {
  const key = env.GEN3_API_KEY
  const usual = join(home, '.gen3', 'credentials.json')
  if (key === undefined || key === '') return existsSync(usual) ? [usual] : []
  if (/^[a-z]+:\/\//i.test(key) || isAbsolute(key) || key.includes('/')) return [key]
  return [join(home, '.gen3', /\.json$/.test(key) ? key : `${key}.json`)]
}

function readMapping(text: string): [string, string] {
  const match = /^([^=\s]+)=([^=\s]+)$/.exec(text)
  if (match) return [match[1] as string, match[2] as string]
  throw new ProgramError('Usage', `--drs-map must be PREFIX=HOST, got '${text}'.`)
}
