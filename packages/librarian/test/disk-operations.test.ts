/** Operations of carried disks, on both databases (reliability G4, E1). */
import { describe, expect, test } from 'vitest'
import { suiteOfBoth } from './both-databases.ts'
import { insertFile, insertInstance, insertPeer, insertRemote, insertStore } from './catalogue-rows.ts'
import type { TrialCatalogue } from './trial-operations.ts'

await suiteOfBoth(suite)

const announced = (name: string, source: string, number: number, replaces: number | null = null) =>
  `INSERT INTO incoming_transfer (status, uploader, upload_name, source, transfer_size, transfer_checksum, start_time, store_path,
     deletion_policy, token, source_transfer_id, replaces_instance_id)
   VALUES ('INITIATED', '${source}', 'f', '${source}', 1, 'xxh3:::1', '2026-01-01T00:00:00.000000Z', '${name}', 'DISALLOWED',
     '${name} ${source} ${replaces}', ${number}, ${replaces})`

const disk = '11111111-2222-4333-8444-555555555555'
const other = '99999999-2222-4333-8444-555555555555'
const hex = (n: number) => n.toString(16).padStart(64, '0')

async function fill(catalogue: TrialCatalogue, names: readonly string[]): Promise<void> {
  const rows = [insertStore(1), insertStore(2), insertPeer(1), insertPeer(2)]
  for (const [at, name] of names.entries()) rows.push(insertFile(name, at + 1), insertInstance(name, 1))
  for (const row of rows) await catalogue.trial.write(row)
}

async function packed(catalogue: TrialCatalogue, names: readonly string[], id = disk): Promise<void> {
  await catalogue.outgoingDisks.begin({ id, peer: 'peer-1', label: 'seven' })
  const found = await catalogue.outgoingDisks.candidates({ destination: 'peer-1', names, limit: 100 })
  await catalogue.outgoingDisks.add({
    id,
    items: found.map(({ name, instance_id }) => ({ name, instanceId: instance_id })),
  })
}

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  describe(`${label}: operations of disks`, () => {
    test('candidates are what the other one lacks, what is on no way to it, and what can be read', async () => {
      await using catalogue = await open()
      await fill(catalogue, ['a', 'b', 'c', 'd', 'e', 'f'])
      await catalogue.trial.write(insertRemote('a', 1))
      await catalogue.trial.write(insertRemote('b', 2))
      await catalogue.trial.write(`UPDATE instance SET state = 'mismatch' WHERE file_name = 'c'`)
      await catalogue.trial.write(insertInstance('f', 2))
      await packed(catalogue, ['d'])
      const search = { destination: 'peer-1', limit: 10 }
      const names = async (more = {}) =>
        (await catalogue.outgoingDisks.candidates({ ...search, ...more })).map(({ name }) => name)
      expect(await names()).toEqual(['b', 'e', 'f'])
      expect(await names({ store: 'store-2' })).toEqual(['f'])
      expect(await names({ names: ['a', 'b', 'e'], after: 'b' })).toEqual(['e'])
      expect(await names({ destination: 'peer-2' })).toEqual(['a', 'd', 'e', 'f'])
      await expect(names({ destination: 'nobody' })).rejects.toMatchObject({ code: 'UnknownLibrarian' })
    })

    test('two disks under way have no label in common; one that was read, or is lost, gives its own free', async () => {
      await using catalogue = await open()
      await fill(catalogue, ['a'])
      const begin = (id: string, label: string) => catalogue.outgoingDisks.begin({ id, peer: 'peer-1', label })
      await begin(disk, 'seven')
      await begin(disk, 'seven')
      await expect(begin(other, 'seven')).rejects.toMatchObject({
        code: 'Conflict',
        message: expect.stringContaining(disk),
      })
      await catalogue.outgoingDisks.giveUp({ id: disk })
      expect(await begin(other, 'seven')).toMatchObject({ label: 'seven', state: 'packing' })
    })

    test('a disk is sealed with one transfer for each file, however often it is asked', async () => {
      await using catalogue = await open()
      await fill(catalogue, ['a', 'b'])
      await packed(catalogue, ['a', 'b'])
      const first = await catalogue.outgoingDisks.seal({ id: disk })
      expect(await catalogue.outgoingDisks.seal({ id: disk })).toMatchObject({ files: 2, bytes: first.bytes })
      const rows = await catalogue.trial.read(
        `SELECT file_name, status, destination FROM outgoing_transfer ORDER BY file_name`,
      )
      expect(rows).toEqual(['a', 'b'].map(file_name => ({ file_name, status: 'ONGOING', destination: 'peer-1' })))
      expect(await catalogue.outgoingDisks.candidates({ destination: 'peer-1', limit: 10 })).toEqual([])
      const said = await catalogue.outgoingDisks.sign({ id: disk, digest: hex(1), statement: 'one' })
      expect([said, await catalogue.outgoingDisks.sign({ id: disk, digest: hex(1), statement: 'two' })]).toEqual([
        'one',
        'one',
      ])
      const [listed] = await catalogue.disks.list({ limit: 9 })
      expect(listed).toMatchObject({ state: 'packed', in_transit: 2, arrived: 0, confirmed: 0 })
    })

    test('of a file that is on its way already, a carried disk takes that transfer, a store’s list its own copy’s', async () => {
      await using catalogue = await open()
      await fill(catalogue, ['a'])
      await catalogue.trial.write(insertInstance('a', 2))
      const made = { storeName: 'store-2', destination: 'peer-1', disableStore: false, markUnavailable: false }
      await packed(catalogue, ['a'])
      await catalogue.manifest.make({ ...made, id: '1'.repeat(32) })
      await catalogue.outgoingDisks.seal({ id: disk })
      const transfers = async () => await catalogue.trial.read('SELECT instance_id FROM outgoing_transfer ORDER BY id')
      expect(await transfers()).toEqual([{ instance_id: 2 }])
      await catalogue.manifest.make({ ...made, storeName: 'store-1', id: '2'.repeat(32) })
      expect(await transfers()).toEqual([{ instance_id: 2 }, { instance_id: 1 }])
    })

    test('who uploaded a file first goes along with it, by disk, by a store’s list, and to who lost its database', async () => {
      await using catalogue = await open()
      await fill(catalogue, ['a', 'b'])
      await catalogue.trial.write(`UPDATE file SET uploader = 'far', first_uploader = 'eve' WHERE name = 'a'`)
      for (const name of ['a', 'b']) await catalogue.trial.write(insertRemote(name, 2))
      const uploaders = (rows: readonly { uploader: string }[]) => rows.map(({ uploader }) => uploader)
      const search = { destination: 'peer-1', limit: 9 }
      expect(uploaders(await catalogue.outgoingDisks.candidates(search))).toEqual(['eve', 'ada'])
      const order = { storeName: 'store-1', disableStore: false, markUnavailable: false, id: '1'.repeat(32) }
      const manifest = await catalogue.manifest.make(order)
      expect(uploaders(await catalogue.manifest.page({ manifest, after: 0, limit: 9 }))).toEqual(['eve', 'ada'])
      const page = { librarian: 'peer-2', seconds: 1_000_000_000, after: 0, limit: 9 }
      expect(uploaders(await catalogue.downstream.copies(page))).toEqual(['eve', 'ada'])
    })

    test('a disk that is given up fails its open transfers, and its files may go again; what was confirmed stays so', async () => {
      await using catalogue = await open()
      await fill(catalogue, ['a', 'b'])
      await packed(catalogue, ['a', 'b'])
      await catalogue.outgoingDisks.seal({ id: disk })
      const [first] = await catalogue.disks.items({ id: disk, limit: 9 })
      const files = [{ name: 'a', transferId: first!.transfer_id!, storeId: 5 }]
      const receipt = { id: disk, peer: 'peer-1', sender: 'here', files }
      expect(await catalogue.outgoingDisks.confirm(receipt)).toEqual([])
      expect(await catalogue.outgoingDisks.confirm(receipt)).toEqual([])
      expect(await catalogue.outgoingDisks.giveUp({ id: disk })).toBe(1)
      const names = await catalogue.outgoingDisks.candidates({ destination: 'peer-1', limit: 9 })
      expect(names.map(({ name }) => name)).toEqual(['b'])
      await expect(catalogue.outgoingDisks.begin({ id: disk, peer: 'peer-1', label: '' })).rejects.toMatchObject({
        code: 'Conflict',
      })
    })

    test('a receipt confirms what the disk holds and nothing else', async () => {
      await using catalogue = await open()
      await fill(catalogue, ['a', 'b'])
      await packed(catalogue, ['a'])
      await catalogue.outgoingDisks.seal({ id: disk })
      const [item] = await catalogue.disks.items({ id: disk, limit: 9 })
      const transferId = item!.transfer_id!
      const confirm = (peer: string, name: string, number: number) =>
        catalogue.outgoingDisks.confirm({
          id: disk,
          peer,
          sender: 'here',
          files: [{ name, transferId: number, storeId: 1 }],
        })
      await expect(confirm('peer-2', 'a', transferId)).rejects.toMatchObject({ code: 'Conflict' })
      expect(await confirm('peer-1', 'b', transferId)).toEqual(['b'])
      expect(await confirm('peer-1', 'a', transferId + 1)).toEqual(['a'])
      expect(await catalogue.trial.read('SELECT COUNT(*) AS n FROM remote_instance')).toEqual([{ n: 0 }])
      expect(await confirm('peer-1', 'a', transferId)).toEqual([])
      expect(await catalogue.trial.read('SELECT file_name, store_id FROM remote_instance')).toEqual([
        { file_name: 'a', store_id: 1 },
      ])
    })

    test('what is heard of a disk only moves it forward, and only its own librarian is heard', async () => {
      await using catalogue = await open()
      await fill(catalogue, ['a'])
      await packed(catalogue, ['a'])
      const { outgoingDisks } = catalogue
      await outgoingDisks.seal({ id: disk })
      await outgoingDisks.sign({ id: disk, digest: hex(1), statement: 's' })
      const state = async () => (await catalogue.disks.find({ id: disk }))?.state
      await expect(outgoingDisks.heard({ id: disk, peer: 'peer-2', state: 'read' })).rejects.toMatchObject({
        code: 'NotFound',
      })
      await outgoingDisks.heard({ id: disk, peer: 'peer-1', state: 'read' })
      await outgoingDisks.heard({ id: disk, peer: 'peer-1', state: 'reading' })
      expect(await state()).toBe('read')
      await outgoingDisks.giveUp({ id: disk })
      await outgoingDisks.heard({ id: disk, peer: 'peer-1', state: 'reading' })
      expect(await state()).toBe('given-up')
    })

    test('a disk comes once: again with the same statement, never with another', async () => {
      await using catalogue = await open()
      await fill(catalogue, [])
      const arrival = { id: disk, peer: 'peer-1', files: 1, bytes: 1, digest: hex(1), statement: 'said' }
      const first = await catalogue.incomingDisks.arrive(arrival)
      expect(await catalogue.incomingDisks.arrive(arrival)).toEqual(first)
      for (const change of [{ statement: 'said later' }, { peer: 'peer-2' }]) {
        await expect(catalogue.incomingDisks.arrive({ ...arrival, ...change })).rejects.toMatchObject({
          code: 'Conflict',
        })
      }
      const told = await catalogue.trial.read('SELECT peer, call FROM message')
      expect(told).toEqual([{ peer: 'peer-1', call: 'sneakernet/heard' }])
    })

    test('files of a disk that came are judged by the catalogue, and the sender hears once of what was here before', async () => {
      await using catalogue = await open()
      await fill(catalogue, ['same', 'other', 'lost', 'mended'])
      await catalogue.trial.write(`UPDATE instance SET available = 0 WHERE file_name = 'lost'`)
      await catalogue.incomingDisks.arrive({
        id: other,
        peer: 'peer-1',
        files: 6,
        bytes: 9,
        digest: hex(1),
        statement: 's',
      })
      const file = (name: string, n: number, sha256: string, failure?: string) => ({
        name,
        transferId: n,
        size: n,
        checksum: `xxh3:::${n}`,
        sha256,
        failure,
      })
      const files = [
        file('same', 1, hex(1)),
        file('other', 2, hex(99)),
        file('lost', 3, hex(3)),
        file('new', 4, hex(4)),
        file('bad', 5, hex(5), 'must have 5 bytes'),
        { ...file('mended', 4, hex(4)), transferId: 6 },
      ]
      // Announced by a reading that was broken off: what came another way meanwhile, what is still to come, what is another's, and what
      // takes a bad copy's place.
      await catalogue.trial.write(announced('same', 'peer-1', 1))
      await catalogue.trial.write(announced('new', 'peer-1', 4))
      await catalogue.trial.write(announced('same', 'peer-2', 1))
      await catalogue.trial.write(announced('mended', 'peer-1', 6, 4))
      for (const isRead of [false, true]) {
        const { settled, ended } = await catalogue.incomingDisks.settle({ id: other, files, isRead })
        expect(ended.map(({ id, status }) => [id, status])).toEqual(isRead ? [] : [[1, 'FAILED']])
        expect(settled.map(({ name, state }) => [name, state])).toEqual([
          ['same', 'exists'],
          ['other', 'failed'],
          ['lost', 'failed'],
          ['new', 'new'],
          ['bad', 'failed'],
          ['mended', 'exists'],
        ])
      }
      const told = await catalogue.trial.read(`SELECT call, body FROM message WHERE call = 'clone/complete'`)
      expect(told.map(({ body }) => JSON.parse(String(body)))).toEqual([
        { source_transfer_id: 1, destination_transfer_id: -1, store_id: 1 },
        { source_transfer_id: 6, destination_transfer_id: -1, store_id: 1 },
      ])
      const [listed] = await catalogue.disks.list({ id: other, limit: 1 })
      expect(listed).toMatchObject({ state: 'read', confirmed: 2, failed: 3, arrived: 1 })
      expect(await catalogue.incomingDisks.kept({ id: other, limit: 9 })).toEqual([
        { name: 'mended', transfer_id: 6, store_id: 1, size: 4, sha256: hex(4) },
        { name: 'same', transfer_id: 1, store_id: 1, size: 1, sha256: hex(1) },
      ])
    })

    test('a key is pinned once; only an administrator replaces it', async () => {
      await using catalogue = await open()
      await fill(catalogue, [])
      const { signingKeys } = catalogue
      expect(await signingKeys.of({ name: 'peer-1' })).toBeUndefined()
      expect(await signingKeys.pin({ name: 'peer-1', key: 'one', replace: false })).toBe('one')
      expect(await signingKeys.pin({ name: 'peer-1', key: 'two', replace: false })).toBe('one')
      expect(await signingKeys.pin({ name: 'peer-1', key: 'two', replace: true })).toBe('two')
      expect(await signingKeys.of({ name: 'peer-1' })).toBe('two')
    })
  })
}
