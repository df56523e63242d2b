/** The compose file's nginx, by its own configuration, before a librarian; and what `arriero doctor` says where a line of it is missing. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { makeCertificate } from '../../../packages/transfer/test/fault-server/certificate.ts'
import { type RunningLibrarian, startLibrarian } from '../../program/serve.ts'
import { arriero, type Outcome } from '../../program.ts'
import { findNginx } from '../../servers/nginx.ts'
import { freePorts } from '../../servers/ports.ts'

const deployed = fileURLToPath(new URL('../../../deploy/compose/nginx.conf', import.meta.url))
const program = findNginx()

if (program) claims(program)
else test.skip('NOT RUN nginx: it is not installed; run scripts/install-servers.sh', () => {})

function claims(nginx: string): void {
  let folder!: string
  let site!: RunningLibrarian
  let proxy: ChildProcess | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'arriero-deployed-'))
    // Its workers are nobody's.
    await chmod(folder, 0o755)
    await mkdir(join(folder, 'home'))
    const { certificate, key } = makeCertificate()
    await writeFile(join(folder, 'tls_certificate'), certificate)
    await writeFile(join(folder, 'tls_key'), key)
    site = await startLibrarian(join(folder, 'site'), {
      settings: { trusted_proxies: ['127.0.0.1'], backups: { every: null } },
    })
  }, 120_000)

  afterEach(async () => {
    proxy?.kill('SIGTERM')
    await new Promise(resolve => (proxy?.exitCode === null ? proxy.once('exit', resolve) : resolve(undefined)))
    proxy = undefined
  })
  afterAll(async () => {
    await site?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const run = (args: readonly string[]): Promise<Outcome> =>
    arriero(args, {
      cwd: folder,
      env: {
        HOME: join(folder, 'home'),
        HL_CLIENT_CONFIG: undefined,
        NODE_EXTRA_CA_CERTS: join(folder, 'tls_certificate'),
      },
    })

  /** Moved to places and ports of this test; everything else is as it is deployed. */
  async function start(change: (text: string) => string = text => text): Promise<string> {
    const [plain, secure] = (await freePorts(2)) as [number, number]
    const text = change(await readFile(deployed, 'utf8'))
      .replace('listen 8080;', `listen 127.0.0.1:${plain};`)
      .replace('listen 8443 ssl;', `listen 127.0.0.1:${secure} ssl;`)
      .replaceAll(/server api-\d:8080;/g, `server 127.0.0.1:${site.port};`)
      .replaceAll(/\/(?:run\/secrets|tmp)\//g, `${folder}/`)
      .replaceAll('/dev/stdout', 'off')
      .replace('worker_rlimit_nofile 65536;', '')
    const config = join(folder, 'nginx.conf')
    await writeFile(config, text)
    const words = ['-p', folder, '-c', config, '-e', 'stderr']
    await promisify(execFile)(nginx, [...words, '-t'])
    proxy = spawn(nginx, [...words, '-g', 'daemon off;'], { stdio: 'ignore' })
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
      const answer = await fetch(`http://127.0.0.1:${plain}/`, { redirect: 'manual' }).catch(() => undefined)
      if (answer?.status === 308) return `https://127.0.0.1:${secure}`
    }
    throw new Error('nginx does not answer')
  }

  const told = async (url: string): Promise<string[]> => {
    const { stdout } = await run(['doctor', '--json', '--url', url])
    const findings = stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as { level: string; found: string })
    return findings.filter(({ level }) => level !== 'ok').map(({ found }) => found)
  }

  test('it hands on uploads and downloads over TLS, and doctor finds nothing', async () => {
    const url = await start()
    const logged = await run(['login', 'here', url, '--user', 'admin', '--password-file', site.passwordFile])
    expect(logged.code, logged.stderr).toBe(0)
    const bytes = randomBytes(20_000_000)
    await writeFile(join(folder, 'large.bin'), bytes)
    const uploaded = await run(['upload', 'large.bin', 'test/large.bin'])
    expect(uploaded.code, uploaded.stderr).toBe(0)
    const fetched = await run(['download', 'test/large.bin', '-d', 'back'])
    expect(fetched.code, fetched.stderr).toBe(0)
    expect((await readFile(join(folder, 'back', 'large.bin'))).equals(bytes)).toBe(true)
    expect(await told(url)).toEqual([])
  }, 180_000)

  test.each([
    ['a limit of bodies', 'client_max_body_size 0', 'client_max_body_size 1m', /refuses large bodies \(413\)/],
    ['gathered bodies', 'proxy_request_buffering off', 'proxy_request_buffering on', /gathers the bodies of uploads/],
    ['no scheme', /proxy_set_header X-Forwarded-Proto .*;/, '', /believes that it was called as http:/],
  ])(
    'of %s, doctor tells',
    async (_, from, to, words) => {
      expect(await told(await start(text => text.replace(from, to)))).toEqual([expect.stringMatching(words)])
    },
    120_000,
  )
}
