import type { Clock } from '../../clock.ts'

/** Options of the method that moves by rsync. */
export interface RsyncMethodOptions {
  /** Of this machine, as receivers name it. Default: the system's. */
  readonly hostname?: string | undefined
  /** Other machines that may be reached, by the hostname that their receiver offers. Default: none. */
  readonly hosts?: Readonly<Record<string, SshHost>> | undefined
  /** A name on PATH, or an absolute path. Default: `rsync`. */
  readonly program?: string | undefined
  /** Seconds without a byte after which a line is called dead. Default 60. */
  readonly timeoutSeconds?: number | undefined
  /** Times that a broken line is tried again within a batch. Default 3. */
  readonly retries?: number | undefined
  readonly clock?: Clock | undefined
  /** In [0, 1), for delays. Default Math.random. */
  readonly random?: (() => number) | undefined
  /** Where PATH, HOME and the socket of an agent are taken from; nothing else of it is handed on. Default: process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
}

/** How a machine is reached. Its key must be known already: no unknown one is ever accepted. */
export interface SshHost {
  /** Name or address. Default: the hostname itself. */
  readonly address?: string | undefined
  /** Default: as ssh decides. */
  readonly user?: string | undefined
  /** Default: as ssh decides. */
  readonly port?: number | undefined
  /** File of the private key, absolute. Default: as ssh decides. */
  readonly identityFile?: string | undefined
  /** File with the keys of hosts, absolute. Default: the user's. */
  readonly knownHostsFile?: string | undefined
}
