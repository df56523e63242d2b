/** What every store must do. Each implementation calls this with a factory, and lists with its reason what it cannot. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import type { Keeper } from '../src/stores/keeper.ts'
import { createLife, type Life } from '../src/stores/life.ts'
import { describeContent, type MemoryContent } from '../src/stores/memory-content.ts'
import type { Outcome, Publication, Store, TrailRecord, Work } from '../src/stores/store.ts'
import { archiveOf, archiveOfMembers, memberOf, withField, withKind } from './archive-of.ts'

export interface StoreHarness extends AsyncDisposable {
  readonly store: Store
  /** Puts an upload where `openStaging` says, as another program would. */
  stage(id: string, uploadName: string, content: MemoryContent): Promise<void>
  /** Changes the bytes under a name behind the store's back. */
  damage(name: string, content: Uint8Array): Promise<void>
  /** Puts content under a name, as another program would (`capabilities.canAdopt`). */
  put?(name: string, content: MemoryContent): Promise<void>
  /** The same place, opened again, as after a restart. */
  reopen(): Promise<Store>
  /** Takes the place away, or brings it back. */
  setThere(isThere: boolean): Promise<void>
  /** The same place, opened for a catalogue, whichever has it. */
  openFor?(keeper: Keeper, life?: Life): Promise<Store>
}

export interface StoreSuiteOptions {
  make(): Promise<StoreHarness>
  /** What it cannot do, and why. */
  readonly cannot?: {
    readonly trees?: string
    readonly staging?: string
    readonly keepers?: string
  }
}

const token = 1
const text = (content: string) => new Uint8Array(Buffer.from(content))
const tree = (members: Record<string, string | null>): MemoryContent =>
  new Map(Object.entries(members).map(([path, content]) => [path, content === null ? null : text(content)]))

/** A catalogue for each name. */
export function keeperOf(librarian: string): Keeper {
  const hex = createHash('sha256').update(librarian).digest('hex')
  const catalogue = hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  return { catalogue, librarian, host: 'here', since: '2026-11-20T22:03:37.619866Z' }
}

export function describeStore(label: string, { make, cannot = {} }: StoreSuiteOptions): void {
  describe(`${label}: a store`, () => {
    let harness: StoreHarness
    let store: Store
    beforeEach(async () => {
      harness = await make()
      store = harness.store
    })
    afterEach(() => harness[Symbol.asyncDispose]())

    // ——— Hands ———

    /** Brings content as an upload would, by whichever way there is. */
    async function workOf(content: MemoryContent, more: Partial<Work> = {}): Promise<Work> {
      const { size, checksum } = await describeContent(content, more.checksum)
      return { id: newId(), token, origin: await bring(content), size, checksum, ...more }
    }

    async function workInPlace(name: string, content: MemoryContent): Promise<Work> {
      const { size, checksum } = await describeContent(content, undefined)
      return { id: newId(), token, origin: { from: 'place', name }, size, checksum }
    }

    async function bring(content: MemoryContent): Promise<Work['origin']> {
      const id = randomUUID()
      if (store.capabilities.hasStaging) {
        await store.openStaging(id, 'upload')
        await harness.stage(id, 'upload', content)
        return { from: 'staging', id, uploadName: 'upload' }
      }
      if (!(content instanceof Uint8Array)) throw new Error('a tree needs staging')
      await using spool = await store.openSpool(id)
      await spool.append(pieces(content))
      return { from: 'spool', id }
    }

    async function prepareOne(work: Work, name: string): Promise<Publication> {
      const [outcome] = await store.prepare([work])
      const { kind, size, sha256 } = unwrap(outcome!)
      return { id: work.id, token: work.token, name, kind, size, sha256 }
    }

    async function commit(name: string, content: MemoryContent): Promise<Publication> {
      const publication = await prepareOne(await workOf(content), name)
      unwrap((await store.publish([publication]))[0]!)
      await store.settle([publication.id])
      return publication
    }

    async function contentOf(name: string, member?: string): Promise<Buffer> {
      await using file = await store.open(name, member)
      return await readAll(file.read(0, file.size))
    }

    const whyNoTrees = cannot.trees
    const testTrees = whyNoTrees
      ? (name: string, _: () => void) => test.skip(`${name} (cannot: ${whyNoTrees})`, () => {})
      : test
    const whyNoStaging = cannot.staging
    const testStaging = whyNoStaging
      ? (name: string, _: () => void) => test.skip(`${name} (cannot: ${whyNoStaging})`, () => {})
      : test

    // ——— State ———

    test('tells that it is there, how much room it has, and who it is', async () => {
      const state = await store.state()
      expect(state).toMatchObject({ available: true })
      if (!state.available) return
      expect(state.free).toBeGreaterThan(0)
      expect(state.free).toBeLessThanOrEqual(state.total)
      expect(state.uuid).toMatch(/^[0-9a-f-]{36}$/)
      expect(await (await harness.reopen()).state()).toMatchObject({ uuid: state.uuid })
    })

    test('a place that is not there is unavailable, and nothing is done or found there (B4)', async () => {
      const publication = await commit('kept', text('kept'))
      const work = await workOf(text('new'))
      await harness.setThere(false)
      expect(await store.state()).toMatchObject({ available: false, reason: expect.any(String) })
      expect(await store.prepare([work])).toMatchObject([{ ok: false, error: { code: 'StoreUnavailable' } }])
      expect(await store.publish([publication])).toMatchObject([{ ok: false, error: { code: 'StoreUnavailable' } }])
      const { checksum } = await describeContent(text('kept'), undefined)
      expect(await store.examine('kept', { kind: 'file', checksum })).toMatchObject({ outcome: 'unavailable' })
      for (const attempt of [
        () => store.openStaging(randomUUID(), 'x'),
        () => store.openSpool(randomUUID()),
        () => store.stat('kept'),
        () => store.open('kept'),
        () => store.trash('kept', newId()),
        () => store.restore('kept', newId()),
        () => store.purge(newId()),
        () => store.settle([work.id]),
        () => store.inspect(publication),
        () => store.appendTrail([recordOf('kept')]),
        () => Array.fromAsync(store.scan()),
        () => Array.fromAsync(store.works()),
        () => Array.fromAsync(store.readTrail()),
      ]) {
        // Staging needs no store where there is none.
        if (!store.capabilities.hasStaging && String(attempt).includes('openStaging')) continue
        await expect(attempt(), String(attempt)).rejects.toMatchObject({ code: 'StoreUnavailable' })
      }
      await harness.setThere(true)
      expect(await store.state()).toMatchObject({ available: true })
      expect((await contentOf('kept')).toString()).toBe('kept')
    })

    // ——— Whose it is (B4) ———

    /** Every step that a librarian takes at a store but reading. */
    async function expectRefused(
      other: Store,
      publication: Publication,
      work: Work,
      { says, remedy } = { says: 'another librarian', remedy: '--rebuild' },
    ): Promise<void> {
      expect(await other.prepare([work])).toMatchObject([{ ok: false, error: { code: 'StoreUnavailable' } }])
      expect(await other.publish([publication])).toMatchObject([{ ok: false, error: { code: 'StoreUnavailable' } }])
      for (const attempt of [
        () => (other.capabilities.hasStaging ? other.openStaging(randomUUID(), 'x') : other.removeSpool('x')),
        () => (other.capabilities.hasStaging ? other.removeStaging(randomUUID()) : other.removeSpool('x')),
        () => other.openSpool(randomUUID()),
        () => other.removeSpool(randomUUID()),
        () => other.replace(publication, newId()),
        () => other.trash('kept', newId()),
        () => other.restore('kept', newId()),
        () => other.purge(newId()),
        () => other.settle([work.id]),
        () => other.appendTrail([recordOf('kept')]),
        () => Array.fromAsync(other.works()),
        () => Array.fromAsync(other.spools()),
        () => Array.fromAsync(other.removed()),
        () => Array.fromAsync(other.scan()),
      ]) {
        await expect(attempt(), String(attempt)).rejects.toMatchObject({
          code: 'StoreUnavailable',
          message: expect.stringContaining(says),
          remedy: expect.stringContaining(remedy),
        })
      }
    }

    const openFor = (keeper: Keeper, life?: Life) => harness.openFor!(keeper, life)
    const whyNoKeepers = cannot.keepers
    const testKeepers = whyNoKeepers
      ? (name: string, _: () => void) => test.skip(`${name} (cannot: ${whyNoKeepers})`, () => {})
      : test

    testKeepers('a store of one catalogue is unavailable to another, which changes nothing there', async () => {
      const ours = await openFor(keeperOf('ours'))
      expect(await ours.state()).toMatchObject({ available: true })
      const publication = await commit('kept', text('kept'))
      const work = await workOf(text('new'))
      const theirs = await openFor(keeperOf('theirs'))
      const state = await theirs.state()
      expect(state).toMatchObject({
        available: false,
        reason: expect.stringContaining(keeperOf('ours').catalogue),
        remedy: expect.any(String),
        otherKeeper: { catalogue: keeperOf('ours').catalogue, librarian: 'ours' },
      })
      await expectRefused(theirs, publication, work)
      expect(await ours.state()).toMatchObject({ available: true })
      expect((await contentOf('kept')).toString()).toBe('kept')
      expect(await Array.fromAsync(ours.readTrail())).toEqual([])
      expect(await Array.fromAsync(ours.removed())).toEqual([])
    })

    testKeepers('several processes of one catalogue share a store', async () => {
      await openFor(keeperOf('ours'))
      const again = await openFor({ ...keeperOf('ours'), host: 'another machine', since: 'later' })
      expect(await again.state()).toMatchObject({ available: true })
      expect(await again.takeOver()).toBeUndefined()
    })

    testKeepers(
      'a store that is taken over is the other catalogue’s from then on, and who had it notices at its next step',
      async () => {
        const before = await openFor(keeperOf('before'))
        expect(await before.state()).toMatchObject({ available: true })
        const publication = await commit('kept', text('kept'))
        const work = await workOf(text('new'))
        const after = await openFor(keeperOf('after'))
        expect(await after.takeOver()).toMatchObject({ catalogue: keeperOf('before').catalogue })
        expect(await after.state()).toMatchObject({ available: true })
        await expectRefused(before, publication, work)
        expect(await before.state()).toMatchObject({ available: false, otherKeeper: { librarian: 'after' } })
        expect((await contentOf('kept')).toString()).toBe('kept')
        expect(await (await openFor(keeperOf('after'))).state()).toMatchObject({ available: true })
      },
    )

    testKeepers('a catalogue has its store after each start, and a copy of what it was before has none', async () => {
      await using catalogue = await openMemoryCatalogue()
      await using copied = await openMemoryCatalogue()
      const keeper = keeperOf('ours')
      const open = ({ lives }: typeof catalogue) => openFor(keeper, createLife({ lives, store: 1, keeper }))
      const first = await open(catalogue)
      expect(await first.state()).toMatchObject({ available: true })
      const publication = await commit('kept', text('kept'))
      const work = await workOf(text('new'))
      for (const coming of await catalogue.lives.known({ store: 1 })) await copied.lives.announce({ store: 1, coming })
      const second = await open(catalogue)
      for (const one of [second, first, second]) expect(await one.state()).toMatchObject({ available: true })
      const copy = await open(copied)
      expect(await copy.state()).toMatchObject({ available: false, otherKeeper: { catalogue: keeper.catalogue } })
      const refusal = { says: 'this catalogue is a copy', remedy: '--take-over-stores' }
      await expectRefused(copy, publication, work, refusal)
      expect(await first.state()).toMatchObject({ available: true })

      expect(await copy.takeOver()).toMatchObject({ catalogue: keeper.catalogue })
      expect(await copy.state()).toMatchObject({ available: true })
      for (const one of [first, second]) await expectRefused(one, publication, work, refusal)
      expect((await contentOf('kept')).toString()).toBe('kept')
    })

    testKeepers('of several catalogues that open a store of nobody at once, one has it', async () => {
      const all = await Promise.all(Array.from({ length: 6 }, async (_, n) => await openFor(keeperOf(`n${n}`))))
      for (let look = 0; look < 2; look++) {
        const states = await Promise.all(all.map(one => one.state()))
        expect(states.filter(({ available }) => available)).toHaveLength(1)
      }
    })

    // ——— Commit ———

    test.each([
      ['empty', text('')],
      ['small', text('some bytes')],
      ['of several MiB', new Uint8Array(randomBytes(5 * 2 ** 20 + 17))],
    ])('a file, %s, is committed with exactly its bytes', async (_, content) => {
      const work = await workOf(content)
      const name = 'some/place/file.dat'
      const publication = await prepareOne(work, name)
      expect(publication).toMatchObject({ kind: 'file', size: content.length, sha256: sha256(content) })
      expect(await store.stat(name)).toBeUndefined()
      expect(await store.inspect(publication)).toBe('prepared')
      expect(await Array.fromAsync(store.works())).toEqual([work.id])
      const [published] = await store.publish([publication])
      expect(unwrap(published!).path).toBe(store.pathOf(name))
      expect(await store.inspect(publication)).toBe('published')
      await store.settle([work.id])
      expect(await Array.fromAsync(store.works())).toEqual([])
      expect((await contentOf(name)).equals(content)).toBe(true)
      const stat = await store.stat(name)
      expect(stat).toEqual({ kind: 'file', size: content.length, fingerprint: unwrap(published!).fingerprint })
    })

    testTrees('a tree is committed whole, with empty directories, and described by its manifest', async () => {
      const members = tree({ 'a.txt': 'abc', 'sub/b.txt': '', 'sub/deep/er/c': 'c', empty: null })
      const work = await workOf(members)
      const [outcome] = await store.prepare([work])
      const prepared = unwrap(outcome!)
      expect(prepared).toEqual(await describeContent(members, undefined))
      const publication = { ...(await prepareOne(work, 'trees/one')) }
      expect(await store.stat('trees/one')).toBeUndefined()
      unwrap((await store.publish([publication]))[0]!)
      expect(await store.inspect(publication)).toBe('published')
      await store.settle([work.id])
      expect(await store.inspect(publication)).toBe('published')
      expect(await store.stat('trees/one')).toMatchObject({ kind: 'tree', size: 0 })
      expect((await contentOf('trees/one', 'sub/deep/er/c')).toString()).toBe('c')
      await expect(store.open('trees/one')).rejects.toMatchObject({ code: 'NotFound' })
      await expect(store.open('trees/one', 'sub')).rejects.toMatchObject({ code: 'NotFound' })
      await expect(store.open('trees/one', 'none')).rejects.toMatchObject({ code: 'NotFound' })
      const reading = await store.examine('trees/one', { kind: 'tree', checksum: prepared.checksum })
      const { kind: _, ...rest } = prepared
      expect(reading).toMatchObject({ outcome: 'read', ...rest })
    })

    testTrees('a tree with nothing in it is one', async () => {
      const publication = await commit('nothing', tree({}))
      expect(publication).toMatchObject({ kind: 'tree', size: 0, sha256: sha256(text('')) })
      expect(await store.stat('nothing')).toMatchObject({ kind: 'tree' })
    })

    // ——— Archives ———

    async function spooledArchive(archive: Uint8Array): Promise<Work['origin'] & { from: 'spool' }> {
      const id = newId()
      await using spool = await store.openSpool(id, { functions: [] })
      await spool.append(pieces(archive))
      return { from: 'spool', id, archive: 'tar' }
    }

    async function archiveWork(content: MemoryContent, more: Partial<Work> = {}): Promise<Work> {
      const { size, checksum } = await describeContent(content, more.checksum)
      const origin = more.origin ?? (await spooledArchive(archiveOf(content)))
      return { id: newId(), token, size, checksum, ...more, origin }
    }

    const someTree = tree({
      'a.txt': 'abc',
      'sub/b.txt': '',
      'sub/deep/er/c': 'c',
      'Ångström/観測': 'x',
      [`${'long/'.repeat(40)}name`]: 'far below',
      empty: null,
      'sub/void': null,
    })

    testTrees('an archive in a spool becomes the tree that was staged, to the last digest', async () => {
      const origin = await spooledArchive(archiveOf(someTree))
      const work = await archiveWork(someTree, { origin })
      expect(unwrap((await store.prepare([work]))[0]!)).toEqual(await describeContent(someTree, undefined))
      const publication = await prepareOne(work, 'trees/sent')
      expect(publication.kind).toBe('tree')
      expect(await store.stat('trees/sent')).toBeUndefined()
      expect(await store.inspect(publication)).toBe('prepared')
      const spool = origin.id
      unwrap((await store.publish([{ ...publication, spool }]))[0]!)
      await store.settle([work.id])
      await store.removeSpool(spool)
      expect(await store.inspect(publication)).toBe('published')
      expect(await Array.fromAsync(store.works())).toEqual([])
      expect(await Array.fromAsync(store.spools())).toEqual([])
      expect((await contentOf('trees/sent', 'Ångström/観測')).toString()).toBe('x')
      const reading = await store.examine('trees/sent', { kind: 'tree', checksum: work.checksum! })
      const { kind: _, ...rest } = await describeContent(someTree, work.checksum)
      expect(reading).toMatchObject({ outcome: 'read', ...rest })
    })

    testTrees('an archive whose members are larger than any buffer keeps their bytes', async () => {
      const content: MemoryContent = new Map([
        ['big', new Uint8Array(randomBytes(9 * 2 ** 20 + 17))],
        ['small', text('x')],
      ])
      const described = await describeContent(content, 'sha512:::')
      const work = await archiveWork(content, { checksum: described.checksum })
      expect(unwrap((await store.prepare([work]))[0]!)).toEqual(described)
    })

    testTrees('an archive is unpacked again after a restart, from a spool that nobody may write any more', async () => {
      const work = await archiveWork(someTree)
      const first = await prepareOne(work, 'again')
      expect(await prepareOne(work, 'again')).toEqual(first)
      store = await harness.reopen()
      expect(await store.inspect(first)).toBe('prepared')
      expect(await prepareOne(work, 'again')).toEqual(first)
      expect((await store.publish([first]))[0]).toMatchObject({ ok: true })
      await store.settle([work.id])
      expect(await Array.fromAsync(store.works())).toEqual([])
    })

    const fine = memberOf('fine', 'abc')
    const attacks: [string, () => Buffer, 'BadArchive' | 'Mismatch', RegExp][] = [
      ['a name with ..', () => archiveOfMembers([memberOf('../out', 'abc')]), 'BadArchive', /"\.\."/],
      ['a name with .. inside', () => archiveOfMembers([memberOf('a/../../out', 'abc')]), 'BadArchive', /"\.\."/],
      ['an absolute name', () => archiveOfMembers([memberOf('/etc/passwd', 'abc')]), 'BadArchive', /relative/],
      ['a directory named ..', () => archiveOfMembers([memberOf('..', null)]), 'BadArchive', /"\.\."/],
      ['its own top', () => archiveOfMembers([memberOf('.', null)]), 'BadArchive', /"\."/],
      ['a name with a backslash', () => archiveOfMembers([memberOf('..\\out', 'abc')]), 'BadArchive', /backslash/],
      ['a name with a drive', () => archiveOfMembers([memberOf('C:/out', 'abc')]), 'BadArchive', /drive/],
      ['a name with a line end', () => archiveOfMembers([memberOf('a\nb', 'abc')]), 'BadArchive', /control/],
      ['a name that turns the reading', () => archiveOfMembers([memberOf('a\u202eb', 'abc')]), 'BadArchive', /bidi/],
      ['a device’s name', () => archiveOfMembers([memberOf('aux.txt', 'abc')]), 'BadArchive', /reserved/],
      ['a name that ends in a dot', () => archiveOfMembers([memberOf('a.', 'abc')]), 'BadArchive', /dot/],
      ['a part of 256 bytes', () => archiveOfMembers([memberOf('n'.repeat(256), 'abc')]), 'BadArchive', /255/],
      [
        'a path of 5000 bytes',
        () => archiveOfMembers([memberOf(`${'abcd/'.repeat(1000)}f`, '')]),
        'BadArchive',
        /4096/,
      ],
      ['one name twice', () => archiveOfMembers([fine, fine]), 'BadArchive', /twice/],
      ['a directory twice', () => archiveOfMembers([memberOf('d', null), memberOf('d', null)]), 'BadArchive', /twice/],
      [
        'a file in a file',
        () => archiveOfMembers([fine, memberOf('fine/in', 'x')]),
        'BadArchive',
        /must be a directory/,
      ],
      ['a file that is a directory', () => archiveOfMembers([memberOf('fine/in', ''), fine]), 'BadArchive', /both/],
      ['twins by case', () => archiveOfMembers([memberOf('A', 'a'), memberOf('a', 'b')]), 'BadArchive', /one name/],
      [
        'twins by Unicode form',
        () => archiveOfMembers([memberOf('\u00e9', 'a'), memberOf('e\u0301', 'b')]),
        'BadArchive',
        /one name/,
      ],
      [
        'twin directories',
        () => archiveOfMembers([memberOf('A/x', ''), memberOf('a/y', '')]),
        'BadArchive',
        /one name/,
      ],
      ['a symbolic link', () => withKind(archiveOfMembers([fine]), '2'), 'BadArchive', /symbolic link/],
      ['a hard link', () => withKind(archiveOfMembers([fine]), '1'), 'BadArchive', /hard link/],
      ['a character device', () => withKind(archiveOfMembers([fine]), '3'), 'BadArchive', /device/],
      ['a block device', () => withKind(archiveOfMembers([fine]), '4'), 'BadArchive', /device/],
      ['a pipe', () => withKind(archiveOfMembers([fine]), '6'), 'BadArchive', /pipe/],
      ['a sparse file', () => withKind(archiveOfMembers([fine]), 'S'), 'BadArchive', /sparse/],
      [
        'a wrong header checksum',
        () => Buffer.from(archiveOfMembers([fine])).fill(0x41, 5, 6),
        'BadArchive',
        /checksum/,
      ],
      ['no archive', () => Buffer.from('just some bytes'.repeat(100)), 'BadArchive', /checksum|octal/],
      ['an archive that is cut off', () => archiveOfMembers([fine]).subarray(0, 800), 'BadArchive', /cut off/],
      ['no end', () => archiveOfMembers([fine]).subarray(0, 1024), 'BadArchive', /cut off/],
      [
        'something behind the end',
        () => Buffer.concat([archiveOfMembers([fine]), archiveOfMembers([fine])]),
        'BadArchive',
        /end/,
      ],
      [
        'a size of 8 GiB less one',
        () => withField(archiveOfMembers([fine]), 124, '77777777777'),
        'Mismatch',
        /8589934591/,
      ],
      ['more bytes than were announced', () => archiveOfMembers([fine, memberOf('more', 'x')]), 'Mismatch', /4 bytes/],
      ['fewer bytes than were announced', () => archiveOfMembers([memberOf('fine', 'ab')]), 'Mismatch', /2 bytes/],
      ['other bytes than were announced', () => archiveOfMembers([memberOf('fine', 'abd')]), 'Mismatch', /xxh3/],
    ]

    for (const [attack, make, code, why] of attacks) {
      testTrees(`of an archive with ${attack} nothing is left, and its sender hears why`, async () => {
        const { size, checksum } = await describeContent(tree({ fine: 'abc' }), undefined)
        const work = { id: newId(), token, origin: await spooledArchive(make()), size, checksum }
        const neighbour = await archiveWork(someTree)
        const [outcome, other] = await store.prepare([work, neighbour])
        if (outcome!.ok) throw new Error('it was taken')
        expect(outcome!.error).toMatchObject({ code, message: expect.stringMatching(why) })
        expect(outcome!.error.message).not.toMatch(/[\u0000-\u001f\u202a-\u202e]/)
        expect(other).toMatchObject({ ok: true })
        expect(await Array.fromAsync(store.works())).toEqual([neighbour.id])
      })
    }

    test('a store that keeps no trees says so, and takes the files beside it', async () => {
      if (store.capabilities.hasTrees) return
      const file = await workOf(text('a file'))
      const archive = await archiveWork(someTree)
      const [refused, taken] = await store.prepare([archive, file])
      expect(refused).toMatchObject({ ok: false, error: { code: 'Unacceptable' } })
      expect(taken).toMatchObject({ ok: true })
    })

    test.each(['md5', 'sha1', 'sha256', 'sha512', 'xxh3', 'bare md5'])(
      'the sender’s checksum is compared by its own function: %s',
      async name => {
        const content = text('hello world'.repeat(100))
        const checksum =
          name === 'bare md5'
            ? hexBy('md5', content)
            : name === 'xxh3'
              ? 'xxh3:::fece70bec15fa5d04e440dc8809b1a8c'
              : `${name}:::${hexBy(name, content)}`
        const origin = await bring(content)
        const work = { id: newId(), token, origin, size: content.length, checksum }
        expect(unwrap((await store.prepare([work]))[0]!)).toMatchObject({ checksum, sha256: sha256(content) })
        const wrong = { ...work, id: newId(), checksum: checksum.replace(/.$/, last => (last === '0' ? '1' : '0')) }
        const [outcome] = await store.prepare([wrong])
        expect(outcome).toMatchObject({ ok: false, error: { code: 'Mismatch' } })
        // Both are needed to see what happened.
        expect(outcome!.ok || outcome!.error.message).toContain(checksum)
        expect(outcome!.ok || outcome!.error.message).toContain(wrong.checksum)
      },
    )

    test('an unattested upload gets an xxh3 of ours', async () => {
      const work = { ...(await workOf(text('abc'))), checksum: undefined }
      const [outcome] = await store.prepare([work])
      expect(unwrap(outcome!).checksum).toBe('xxh3:::06b05ab6733a618578af5f94892f3950')
    })

    test('another size is a mismatch, and leaves nothing private behind', async () => {
      const work = await workOf(text('abc'))
      const [outcome] = await store.prepare([{ ...work, size: 4 }])
      expect(outcome).toMatchObject({ ok: false, error: { code: 'Mismatch' } })
      expect(await Array.fromAsync(store.works())).toEqual([])
      expect(
        await store.inspect({ id: work.id, token, name: 'n', kind: 'file', size: 3, sha256: '0'.repeat(64) }),
      ).toBe('absent')
    })

    test('what was not staged is not found', async () => {
      const id = randomUUID()
      if (store.capabilities.hasStaging) await store.openStaging(id, 'upload')
      const origin: Work['origin'] = store.capabilities.hasStaging
        ? { from: 'staging', id, uploadName: 'upload' }
        : { from: 'spool', id }
      const [outcome] = await store.prepare([{ id: newId(), token, origin, size: 0, checksum: undefined }])
      expect(outcome).toMatchObject({ ok: false, error: { code: 'StagedNotFound' } })
    })

    test('of many at once, a failure is its own', async () => {
      const contents = Array.from({ length: 60 }, (_, index) => text(`content ${index}`.repeat(index)))
      const works = await Promise.all(contents.map(content => workOf(content)))
      const spoiled = works.map((work, index) => (index % 10 === 3 ? { ...work, size: work.size + 1 } : work))
      const outcomes = await store.prepare(spoiled)
      expect(outcomes).toHaveLength(60)
      const publications: Publication[] = []
      for (const [index, outcome] of outcomes.entries()) {
        if (index % 10 === 3) expect(outcome).toMatchObject({ ok: false, error: { code: 'Mismatch' } })
        else {
          const { kind, size, sha256: hex } = unwrap(outcome)
          expect(hex).toBe(sha256(contents[index]!))
          publications.push({ id: works[index]!.id, token, name: `d${index % 4}/f${index}`, kind, size, sha256: hex })
        }
      }
      await commit('d0/f10', text('taken'))
      const published = await store.publish(publications)
      for (const [index, outcome] of published.entries()) {
        const { name } = publications[index]!
        if (name === 'd2/f10') expect(outcome.ok).toBe(true)
        expect(outcome.ok, name).toBe(name !== 'd0/f10')
      }
      await store.settle(works.map(({ id }) => id))
      for (const { name, sha256: hex } of publications) {
        if (name !== 'd0/f10') expect(sha256(await contentOf(name))).toBe(hex)
      }
    })

    test('each step may be repeated, also after a restart, with the same end (A3)', async () => {
      const content = text('repeated')
      const work = await workOf(content)
      const first = await prepareOne(work, 'again')
      expect(await prepareOne(work, 'again')).toEqual(first)
      store = await harness.reopen()
      expect(await store.inspect(first)).toBe('prepared')
      const [one] = await store.publish([first])
      const [two] = await store.publish([first])
      expect(unwrap(two!).path).toEqual(unwrap(one!).path)
      store = await harness.reopen()
      expect(await store.inspect(first)).toBe('published')
      expect((await store.publish([first]))[0]).toMatchObject({ ok: true })
      await store.settle([work.id])
      await store.settle([work.id])
      expect((await store.publish([first]))[0]).toMatchObject({ ok: true })
      expect(await Array.fromAsync(store.works())).toEqual([])
      expect((await contentOf('again')).toString()).toBe('repeated')
    })

    test('nothing is published that was not prepared', async () => {
      const publication: Publication = {
        id: newId(),
        token,
        name: 'n',
        kind: 'file',
        size: 3,
        sha256: sha256(text('abc')),
      }
      expect((await store.publish([publication]))[0]).toMatchObject({ ok: false, error: { code: 'StagedNotFound' } })
      expect(await store.inspect(publication)).toBe('absent')
    })

    test('a work of another token, or of other bytes, is not this one (E2)', async () => {
      const work = await workOf(text('abc'))
      const publication = await prepareOne(work, 'n')
      for (const stale of [
        { ...publication, token: 2 },
        { ...publication, sha256: sha256(text('other')) },
      ]) {
        expect(await store.inspect(stale)).toBe('absent')
        expect((await store.publish([stale]))[0]).toMatchObject({ ok: false, error: { code: 'StagedNotFound' } })
      }
      expect(await store.stat('n')).toBeUndefined()
      expect((await store.publish([publication]))[0]).toMatchObject({ ok: true })
    })

    test('a name that leads to other bytes is never touched; the same bytes under it are success (A4)', async () => {
      const first = await commit('name', text('first'))
      const { fingerprint } = (await store.stat('name'))!
      const other = await prepareOne(await workOf(text('other')), 'name')
      expect(await store.inspect(other)).toBe('foreign')
      expect((await store.publish([other]))[0]).toMatchObject({ ok: false, error: { code: 'FileExists' } })
      const same = await prepareOne(await workOf(text('first')), 'name')
      expect(same.sha256).toBe(first.sha256)
      expect((await store.publish([same]))[0]).toMatchObject({ ok: true })
      await store.settle([other.id, same.id])
      expect((await contentOf('name')).toString()).toBe('first')
      expect((await store.stat('name'))!.fingerprint).toBe(fingerprint)
    })

    test('a name in or above another is taken', async () => {
      await commit('a/file', text('x'))
      for (const name of ['a/file/below', 'a/file/far/below', 'a']) {
        const publication = await prepareOne(await workOf(text('y')), name)
        expect((await store.publish([publication]))[0], name).toMatchObject({
          ok: false,
          error: { code: 'FileExists' },
        })
        expect(await store.inspect(publication), name).toBe('foreign')
      }
      expect((await contentOf('a/file')).toString()).toBe('x')
    })

    testTrees('nothing gets into a committed tree, none replaces one, none is put around something', async () => {
      await commit('t', tree({ 'sub/a': 'a', empty: null }))
      await commit('hollow', tree({}))
      for (const [name, content] of [
        ['t/new', text('x')],
        ['t/sub/new', text('x')],
        ['t/empty/new', text('x')],
        ['hollow/new', text('x')],
        ['t', tree({ 'sub/a': 'b', empty: null })],
        ['t', text('x')],
        ['hollow', tree({ a: 'a' })],
        ['t/empty', tree({ a: 'a' })],
      ] as const) {
        const publication = await prepareOne(await workOf(content), name)
        expect((await store.publish([publication]))[0], name).toMatchObject({
          ok: false,
          error: { code: 'FileExists' },
        })
      }
      await commit('around/it/f', text('f'))
      const around = await prepareOne(await workOf(tree({ a: 'a' })), 'around')
      expect((await store.publish([around]))[0]).toMatchObject({ ok: false, error: { code: 'FileExists' } })
      const { checksum, sha256: hex } = await describeContent(tree({ 'sub/a': 'a', empty: null }), undefined)
      expect(await store.examine('t', { kind: 'tree', checksum })).toMatchObject({ outcome: 'read', sha256: hex })
    })

    test('of two works for one name, exactly one wins', async () => {
      const contents = Array.from({ length: 8 }, (_, index) => text(`writer ${index}`.repeat(1000)))
      const publications = await Promise.all(
        contents.map(async content => prepareOne(await workOf(content), 'contested')),
      )
      const outcomes = await Promise.all(publications.map(async work => (await store.publish([work]))[0]!))
      const winners = outcomes.flatMap((outcome, index) => (outcome.ok ? [index] : []))
      expect(winners).toHaveLength(1)
      expect((await contentOf('contested')).equals(contents[winners[0]!]!)).toBe(true)
    })

    test('stops when it is told to', async () => {
      const work = await workOf(text('abc'))
      await expect(store.prepare([work], { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    })

    // ——— Staging ———

    testStaging('staging directories are told, and removed with all that is in them', async () => {
      const [one, two] = [randomUUID(), randomUUID()]
      const path = await store.openStaging(one, 'deep/upload')
      expect(path.endsWith(`/${one}/deep/upload`)).toBe(true)
      expect(await store.openStaging(one, 'deep/upload')).toBe(path)
      await store.openStaging(two, 'x')
      await harness.stage(one, 'upload', tree({ 'a/b': 'c' }))
      expect((await Array.fromAsync(store.stagings())).toSorted()).toEqual([one, two].toSorted())
      await store.removeStaging(one)
      await store.removeStaging(one)
      expect(await Array.fromAsync(store.stagings())).toEqual([two])
    })

    testStaging('the staged original stays, so that a failed commit can be repeated', async () => {
      const content = text('stays')
      const work = await workOf(content)
      await prepareOne(work, 'n')
      await store.settle([work.id])
      expect((await store.prepare([{ ...work, id: newId() }]))[0]).toMatchObject({ ok: true })
    })

    // ——— Spool ———

    test('a spool keeps nothing of an append that is not accepted', async () => {
      const content = randomBytes(3_000_000)
      const id = randomUUID()
      const part = (from: number, to: number) => pieces(content.subarray(from, to))
      {
        await using spool = await store.openSpool(id)
        expect(await spool.append(part(0, 500_000), { accept: () => true })).toBe(500_000)
        expect(await spool.append(part(1_000_000, 2_500_000), { accept: () => false })).toBe(500_000)
        expect(await spool.append(part(500_000, 1_500_000))).toBe(1_500_000)
      }
      await using spool = await store.openSpool(id)
      expect(await spool.append(part(0, 10), { accept: () => false })).toBe(1_500_000)
      expect(await spool.append(part(1_500_000, 3_000_000))).toBe(3_000_000)
      const { checksum } = await describeContent(content, undefined)
      const work: Work = { id: newId(), token, origin: { from: 'spool', id }, size: content.length, checksum }
      expect(await store.prepare([work])).toMatchObject([{ ok: true, value: { checksum } }])
    })

    test('what comes from memory has just these bytes, and what is not as it must be leaves nothing', async () => {
      const whole = text('the first, and the second')
      const parts = { one: whole.subarray(0, 9), two: whole.subarray(11) }
      const works = await Promise.all(
        Object.values(parts).map(async bytes => {
          const { checksum } = await describeContent(bytes, undefined)
          return { id: newId(), token, origin: { from: 'memory', bytes }, size: bytes.length, checksum } as const
        }),
      )
      const other = { ...works[0]!, id: newId(), origin: { from: 'memory', bytes: text('the worst') } } as const
      const short = { ...works[0]!, id: newId(), origin: { from: 'memory', bytes: text('the') } } as const
      const [first, wrong, missing, second] = await store.prepare([works[0]!, other, short, works[1]!])
      for (const bad of [wrong, missing]) expect(bad).toMatchObject({ ok: false, error: { code: 'Mismatch' } })
      const publications = [first!, second!].map((prepared, index) => {
        const { kind, size, sha256 } = unwrap(prepared)
        return { id: works[index]!.id, token, name: ['one', 'two'][index]!, kind, size, sha256 }
      })
      for (const outcome of await store.publish(publications)) unwrap(outcome)
      for (const [index, name] of ['one', 'two'].entries()) {
        const { checksum, size } = works[index]!
        expect(await store.examine(name, { kind: 'file', checksum })).toMatchObject({ outcome: 'read', checksum, size })
      }
      await store.settle(publications.map(({ id }) => id))
      expect(await Array.fromAsync(store.works())).toEqual([])
    })

    test('small files are read together as one by one; what has another size, or is not there, is left to be opened', async () => {
      const contents = {
        'run/one': text('one'),
        // Large ones are read past the page cache, in whole blocks: neither they nor their neighbours have anything of each other.
        large: new Uint8Array(randomBytes(700_001)),
        'run/two': text(''),
        three: new Uint8Array(randomBytes(70_000)),
        larger: new Uint8Array(randomBytes(2 ** 20)),
        largest: new Uint8Array(randomBytes(2 ** 20 + 1)),
      }
      for (const [name, content] of Object.entries(contents)) await commit(name, content)
      const wanted = Object.entries(contents).map(([name, { length: size }]) => ({ name, size }))
      const other = [
        { name: 'run/one', size: 4 },
        { name: 'none', size: 3 },
        { name: 'run', size: 0 },
      ]
      const read = await store.readWhole([...wanted, ...other])
      expect(read.slice(wanted.length)).toEqual([undefined, undefined, undefined])
      if (store.type === 's3') return expect(read.every(one => one === undefined)).toBe(true)
      for (const [index, { name }] of wanted.entries()) {
        await using opened = await store.open(name)
        expect(read[index]?.fingerprint).toBe(opened.fingerprint)
        expect(Buffer.from(read[index]!.bytes).equals(contents[name as keyof typeof contents])).toBe(true)
      }
    })

    test('a spool that was opened and never written is an empty file', async () => {
      const id = randomUUID()
      {
        await using spool = await store.openSpool(id)
        expect(spool.offset).toBe(0)
      }
      expect(await store.spoolOffset(id)).toBe(0)
      const origin = { from: 'spool', id } as const
      const work: Work = { id: newId(), token, origin, size: 0, checksum: `md5:::${hexBy('md5', new Uint8Array())}` }
      const publication = { ...(await prepareOne(work, 'empty')), spool: id }
      unwrap((await store.publish([publication]))[0]!)
      await store.settle([work.id])
      await store.removeSpool(id)
      expect(await contentOf('empty')).toHaveLength(0)
    })

    test('a spool takes bytes in pieces and goes on where it was', async () => {
      const content = new Uint8Array(randomBytes(3 * 2 ** 20 + 5))
      const id = randomUUID()
      {
        await using spool = await store.openSpool(id)
        expect(spool.offset).toBe(0)
        expect(await spool.append(pieces(content.subarray(0, 1_000_003)))).toBe(1_000_003)
        expect(await spool.append(pieces(content.subarray(1_000_003, 1_000_004)))).toBe(1_000_004)
        expect(await spool.append(pieces(content.subarray(0, 0)))).toBe(1_000_004)
      }
      await using spool = await store.openSpool(id)
      expect(spool.offset).toBe(1_000_004)
      expect(await spool.append(pieces(content.subarray(1_000_004)))).toBe(content.length)
      expect(await Array.fromAsync(store.spools())).toEqual([id])
      const work: Work = {
        id: newId(),
        token,
        origin: { from: 'spool', id },
        size: content.length,
        checksum: `md5:::${hexBy('md5', content)}`,
      }
      const publication = { ...(await prepareOne(work, 'spooled')), spool: id }
      const { fingerprint } = unwrap((await store.publish([publication]))[0]!)
      await store.settle([work.id])
      await store.removeSpool(id)
      await store.removeSpool(id)
      // Else the first reader would find a file that was touched, and have it read again.
      expect((await store.stat('spooled'))?.fingerprint).toBe(fingerprint)
      expect(await Array.fromAsync(store.spools())).toEqual([])
      expect((await contentOf('spooled')).equals(content)).toBe(true)
    })

    test('a body that breaks off leaves what came of it, and no more than a limit is taken', async () => {
      const id = randomUUID()
      const content = new Uint8Array(randomBytes(300_000))
      await using spool = await store.openSpool(id)
      async function* broken() {
        yield content.subarray(0, 100_000)
        throw new Error('reset by peer')
      }
      expect(await spool.append(broken())).toBe(100_000)
      expect(await spool.append(pieces(content.subarray(100_000)), { limit: 50_000 })).toBe(150_000)
      const abort = new AbortController()
      async function* aborted() {
        yield content.subarray(150_000, 160_000)
        abort.abort()
        yield content.subarray(160_000)
      }
      const offset = await spool.append(aborted(), { signal: abort.signal })
      expect(offset).toBeGreaterThanOrEqual(150_000)
      expect(offset).toBeLessThanOrEqual(160_000)
      expect(await spool.append(pieces(content.subarray(offset)))).toBe(300_000)
      const work: Work = { id: newId(), token, origin: { from: 'spool', id }, size: 300_000, checksum: undefined }
      expect(await prepareOne(work, 'n')).toMatchObject({ sha256: sha256(content) })
    })

    test('a spool goes on after a restart, and is prepared after one', async () => {
      const id = randomUUID()
      const content = new Uint8Array(randomBytes(200_000))
      {
        await using spool = await store.openSpool(id)
        await spool.append(pieces(content.subarray(0, 120_000)))
      }
      store = await harness.reopen()
      {
        await using spool = await store.openSpool(id)
        expect(spool.offset).toBe(120_000)
        await spool.append(pieces(content.subarray(120_000)))
      }
      store = await harness.reopen()
      const work: Work = { id: newId(), token, origin: { from: 'spool', id }, size: 200_000, checksum: undefined }
      expect(await prepareOne(work, 'n')).toMatchObject({ sha256: sha256(content) })
    })

    test('many spools at once keep their bytes apart', async () => {
      const contents = Array.from({ length: 40 }, (_, index) => new Uint8Array(randomBytes(20_000 + index * 3000)))
      await Promise.all(
        contents.map(async (content, index) => {
          const id = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`
          await using spool = await store.openSpool(id)
          await spool.append(pieces(content, 4096))
          const work: Work = {
            id: newId(),
            token,
            origin: { from: 'spool', id },
            size: content.length,
            checksum: undefined,
          }
          expect((await prepareOne(work, `n${index}`)).sha256).toBe(sha256(content))
        }),
      )
    })

    // ——— Reading ———

    test('parts of a file are read as they were asked for, and what is not there is not found', async () => {
      const content = new Uint8Array(randomBytes(2 * 2 ** 20 + 100))
      await commit('f', content)
      await using file = await store.open('f')
      expect(file.size).toBe(content.length)
      for (const [start, end] of [
        [0, 1],
        [5, 5],
        [1_000_000, 1_500_000],
        [content.length - 1, content.length],
      ] as const) {
        expect((await readAll(file.read(start, end))).equals(content.subarray(start, end))).toBe(true)
      }
      await expect(readAll(file.read(0, content.length + 1))).rejects.toThrow()
      await expect(store.open('none')).rejects.toMatchObject({ code: 'NotFound' })
      await expect(store.open('f', 'member')).rejects.toMatchObject({ code: 'NotFound' })
      expect(await store.stat('none')).toBeUndefined()
    })

    test('a full reading tells what is there, by the recorded function: right, wrong or missing (C2)', async () => {
      const content = text('hello world'.repeat(100))
      await commit('f', content)
      const checksum = `md5:::${hexBy('md5', content)}`
      const stat = await store.stat('f')
      const right = await store.examine('f', { kind: 'file', checksum, isDirect: true })
      expect(right).toMatchObject({
        outcome: 'read',
        size: content.length,
        checksum,
        sha256: sha256(content),
        fingerprint: stat!.fingerprint,
      })
      const rotten = content.slice()
      rotten[500]! ^= 1
      await harness.damage('f', rotten)
      const found = await store.examine('f', { kind: 'file', checksum })
      expect(found).toMatchObject({
        outcome: 'read',
        checksum: `md5:::${hexBy('md5', rotten)}`,
        sha256: sha256(rotten),
      })
      expect(await store.examine('none', { kind: 'file', checksum })).toMatchObject({ outcome: 'missing' })
    })

    test('what lay there before is sealed as it is, as often as one likes; a committed one stays as it was', async () => {
      const content = text('from before')
      await commit('f', content)
      const before = await store.stat('f')
      expect(await store.seal('f')).toMatchObject({ kind: 'file', size: content.length })
      expect(await store.seal('f')).toMatchObject({ kind: 'file', size: content.length })
      expect((await store.stat('f'))?.size).toBe(before?.size)
      expect(await contentOf('f')).toEqual(Buffer.from(content))
      expect(await store.seal('none')).toBeUndefined()
    })

    test('a full reading answers to nonces by the bytes that are there, each its own (E5)', async () => {
      const content = text('hello world'.repeat(100))
      await commit('f', content)
      const { checksum } = await describeContent(content, undefined)
      const nonces = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
      const answer = (bytes: Uint8Array) =>
        nonces.map(nonce => sha256(new Uint8Array([...Buffer.from(nonce, 'hex'), ...bytes])))
      expect(await store.examine('f', { kind: 'file', checksum, nonces })).toMatchObject({ answers: answer(content) })
      const rotten = content.slice()
      rotten[500]! ^= 1
      await harness.damage('f', rotten)
      expect(await store.examine('f', { kind: 'file', checksum, nonces })).toMatchObject({ answers: answer(rotten) })
    })

    test('what lies in the trash is read there, by its id, and many are read at once', async () => {
      const first = await commit('f', text('first'))
      const { checksum } = await describeContent(text('first'), undefined)
      const id = newId()
      await store.trash('f', id)
      await commit('g', text('second'))
      const asked = { name: 'f', kind: 'file', checksum } as const
      expect(await store.examine('f', { ...asked, trashId: id })).toMatchObject({
        outcome: 'read',
        sha256: first.sha256,
      })
      const all = await store.examineAll([{ ...asked, trashId: id }, asked, { ...asked, name: 'g' }])
      expect(all).toMatchObject([
        { ok: true, value: { outcome: 'read', sha256: first.sha256 } },
        { ok: true, value: { outcome: 'missing' } },
        { ok: true, value: { outcome: 'read', sha256: sha256(text('second')) } },
      ])
    })

    testTrees('a tree answers over its members in the order of its manifest, with their names (E5)', async () => {
      // By their bytes, `a.txt` comes before `a/b`; a walk meets the directory first.
      const members = tree({ 'a/b': 'one', 'a.txt': 'two', 'a/empty': null })
      await commit('t', members)
      const { checksum } = await describeContent(members, undefined)
      const nonce = randomBytes(32).toString('hex')
      const told = [
        ['{"path":"a","type":"directory"}', ''],
        ['{"path":"a.txt","type":"file","size":3}', 'two'],
        ['{"path":"a/b","type":"file","size":3}', 'one'],
        ['{"path":"a/empty","type":"directory"}', ''],
      ]
      const whole = told.map(([line, bytes]) => `${line}\n${bytes}`).join('')
      const expected = sha256(new Uint8Array([...Buffer.from(nonce, 'hex'), ...text(whole)]))
      const plain = await store.examine('t', { kind: 'tree', checksum })
      const found = await store.examine('t', { kind: 'tree', checksum, nonces: [nonce] })
      expect(found).toEqual({ ...plain, answers: [expected] })
    })

    // ——— Removal ———

    test('trash, restore, purge: each may be repeated, and a taken name is not restored over (B2)', async () => {
      await commit('dir/f', text('first'))
      const id = newId()
      await store.trash('dir/f', id)
      await store.trash('dir/f', id)
      expect(await store.stat('dir/f')).toBeUndefined()
      expect(await Array.fromAsync(store.removed())).toEqual([{ id, place: 'trash' }])
      await store.restore('dir/f', id)
      await store.restore('dir/f', id)
      expect((await contentOf('dir/f')).toString()).toBe('first')
      await store.trash('dir/f', id)
      await commit('dir/f', text('second'))
      await expect(store.restore('dir/f', id)).rejects.toMatchObject({ code: 'FileExists' })
      expect((await contentOf('dir/f')).toString()).toBe('second')
      await store.purge(id)
      await store.purge(id)
      expect(await Array.fromAsync(store.removed())).toEqual([])
      await expect(store.restore('gone', id)).rejects.toMatchObject({ code: 'NotFound' })
      await expect(store.trash('never', newId())).rejects.toMatchObject({ code: 'NotFound' })
    })

    testTrees('a tree goes to the trash and comes back whole', async () => {
      const members = tree({ 'a/b': 'c', empty: null })
      const { sha256: hex, checksum } = await describeContent(members, undefined)
      await commit('x/t', members)
      const id = newId()
      await store.trash('x/t', id)
      await store.trash('x/t', id)
      expect(await store.stat('x/t')).toBeUndefined()
      await store.restore('x/t', id)
      expect(await store.examine('x/t', { kind: 'tree', checksum })).toMatchObject({ outcome: 'read', sha256: hex })
      await store.trash('x/t', id)
      await store.purge(id)
      expect(await Array.fromAsync(store.removed())).toEqual([])
    })

    test.for([
      ['file', text('what others wrote')],
      ['tree', tree({ 'sub/a': 'a', b: 'b', empty: null })],
    ] as const)(
      'what others put under its name is taken over as a %s, any number of times (A5)',
      async ([, content], { skip }) => {
        if (!store.capabilities.canAdopt) return skip('nobody holds an object open')
        await harness.put!('old/name', content)
        const before = await store.stat('old/name')
        const work = await workInPlace('old/name', content)
        const publication = await prepareOne(work, 'old/name')
        const adopted = await store.adopt(publication)
        expect(adopted.fingerprint).not.toBe(before?.fingerprint)
        expect(adopted.path).toBe(store.pathOf('old/name'))
        expect(await store.adopt(publication)).toEqual(adopted)
        expect(await (await harness.reopen()).adopt(publication)).toEqual(adopted)
        await store.settle([publication.id])
        expect(await store.inspect(publication)).toBe('published')
        expect(await Array.fromAsync(store.removed())).toEqual([])
        expect(await Array.fromAsync(store.works())).toEqual([])
      },
    )

    test('what was changed after it was taken is not taken over, and stays', async ({ skip }) => {
      if (!store.capabilities.canAdopt) return skip('nobody holds an object open')
      await harness.put!('old', text('as it was'))
      const publication = await prepareOne(await workInPlace('old', text('as it was')), 'old')
      await harness.put!('old', text('as it is.'))
      await expect(store.adopt(publication)).rejects.toMatchObject({ code: 'FileExists' })
      expect((await contentOf('old')).toString()).toBe('as it is.')
      const missing = await store.prepare([await workInPlace('none', text('x'))])
      expect(missing).toMatchObject([{ ok: false, error: { code: 'StagedNotFound' } }])
      const wrong = await store.prepare([await workInPlace('old', text('as it was'))])
      expect(wrong).toMatchObject([{ ok: false, error: { code: 'Mismatch' } }])
      expect((await contentOf('old')).toString()).toBe('as it is.')
    })

    test('a repair puts good bytes in the place of bad ones, and keeps those (B5)', async () => {
      const good = text('good bytes')
      const publication = await commit('f', good)
      await harness.damage('f', text('bad! bytes'))
      const again = await prepareOne(await workOf(good), 'f')
      const id = newId()
      await store.replace(again, id)
      await store.replace(again, id)
      await store.settle([again.id])
      expect((await contentOf('f')).toString()).toBe('good bytes')
      expect(await Array.fromAsync(store.removed())).toEqual([{ id, place: 'quarantine' }])
      expect(await store.inspect(publication)).toBe('published')
    })

    testTrees('a tree is repaired as a whole', async () => {
      const members = tree({ 'a/b': 'c', d: 'e' })
      const publication = await commit('t', members)
      await harness.damage('t/d', text('x'))
      expect(await store.inspect(publication)).toBe('foreign')
      const again = await prepareOne(await workOf(members), 't')
      await store.replace(again, newId())
      expect(await store.inspect(publication)).toBe('published')
      expect((await contentOf('t', 'd')).toString()).toBe('e')
    })

    // ——— Survival ———

    test('the trail gives its records in order, also after a restart (G1)', async () => {
      const records = Array.from({ length: 5 }, (_, index) => recordOf(`n${index}`, index))
      await store.appendTrail(records.slice(0, 2))
      await store.appendTrail([])
      await store.appendTrail(records.slice(2, 4))
      expect(await Array.fromAsync(store.readTrail())).toEqual(records.slice(0, 4))
      store = await harness.reopen()
      await store.appendTrail(records.slice(4))
      expect(await Array.fromAsync(store.readTrail())).toEqual(records)
    })

    test('a scan tells what is kept, and nothing of what is private', async () => {
      await commit('a/one', text('1'))
      await commit('two', text('22'))
      await prepareOne(await workOf(text('private')), 'not yet')
      await commit('gone', text('gone'))
      await store.trash('gone', newId())
      await store.appendTrail([recordOf('a/one')])
      const files = (await Array.fromAsync(store.scan())).filter(({ kind }) => kind === 'file')
      expect(files.toSorted((a, b) => (a.shown < b.shown ? -1 : 1))).toEqual([
        { name: 'a/one', shown: 'a/one', kind: 'file', size: 1 },
        { name: 'two', shown: 'two', kind: 'file', size: 2 },
      ])
    })
  })
}

export function recordOf(name: string, second = 0): TrailRecord {
  const time = `2026-11-20T22:03:${String(second).padStart(2, '0')}.619866Z`
  return {
    action: 'commit',
    order: second + 1,
    time,
    name,
    kind: 'file',
    size: 3,
    checksum: 'xxh3:::06b05ab6733a618578af5f94892f3950',
    sha256: sha256(text('abc')),
    is_attested: true,
    create_time: time,
    uploader: 'somebody',
    source: 'somewhere',
    deletion_policy: 'DISALLOWED',
  }
}

export function newId(): string {
  return randomBytes(16).toString('hex')
}

export async function* pieces(content: Uint8Array, length = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += length) yield content.subarray(at, at + length)
}

export function unwrap<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw outcome.error
  return outcome.value
}

function sha256(bytes: Uint8Array): string {
  return hexBy('sha256', bytes)
}

function hexBy(name: string, bytes: Uint8Array): string {
  return createHash(name).update(bytes).digest('hex')
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bytes))
}
