/**
 * Argon2id, off the event loop, a few at a time: each check takes 64 MiB and a tenth of a second, and a crowd of wrong
 * passwords shall take neither all memory nor the threads that files are read by.
 */
import { LibrarianError } from '@arriero/api'

export interface Passwords {
  /** In PHC form, with the parameters of existing accounts (librarian 5.3). */
  hash(password: string): Promise<string>
  /** By the parameters that `phc` itself names. */
  verify(phc: string, password: string): Promise<boolean>
  /** As long as `verify` takes; never true. For users that do not exist. */
  verifyNobody(password: string): Promise<boolean>
}

export interface PasswordsOptions {
  readonly random: (bytes: number) => Buffer
  /** Checks at a time. Default 2, of the four threads that Node has for such work. */
  readonly concurrency?: number
  /** Checks that may wait; more are answered `Busy`. Default 64. */
  readonly waiting?: number
  /** Of new hashes, and of the work that nobody's password costs. Default: what existing accounts have (librarian 5.3). */
  readonly cost?: PasswordCost
}

export interface PasswordCost {
  /** KiB. */
  readonly memoryCost: number
  readonly timeCost: number
  readonly parallelism: number
}

/** Argon2id; the module's own enumeration exists only for its compiler. */
const argon2id = 2
const usual: PasswordCost = { memoryCost: 65_536, timeCost: 3, parallelism: 4 }

export function createPasswords(options: PasswordsOptions): Passwords {
  const { random, concurrency = 2, waiting = 64, cost = usual } = options
  const turn = createTurns(concurrency, waiting)
  const load = () => import('@node-rs/argon2')
  const base64 = (bytes: number) => random(bytes).toString('base64').replace(/=+$/, '')
  // Nobody's password: a hash that is no hash of anything.
  const nobody = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$${base64(16)}$${base64(32)}`
  const verify = (phc: string, password: string) =>
    turn(async () => {
      try {
        return await (await load()).verify(phc, password)
      } catch {
        // A row that is no hash fits no password.
        return false
      }
    })
  return {
    hash: password =>
      turn(async () =>
        (await load()).hash(password, { ...cost, algorithm: argon2id, outputLen: 32, salt: random(16) }),
      ),
    verify,
    verifyNobody: async password => (await verify(nobody, password)) && false,
  }
}

type Turn = <Result>(work: () => Promise<Result>) => Promise<Result>

function createTurns(concurrency: number, waiting: number): Turn {
  let running = 0
  const line: (() => void)[] = []
  return async work => {
    if (running >= concurrency) {
      if (line.length >= waiting) {
        throw new LibrarianError('Busy', 'Cannot check the password now: too many are being checked', {
          retryAfterSeconds: 5,
        })
      }
      await new Promise<void>(resolve => line.push(resolve))
    } else running++
    try {
      return await work()
    } finally {
      const next = line.shift()
      // The turn is handed on, so that nobody slips in between.
      if (next) next()
      else running--
    }
  }
}
