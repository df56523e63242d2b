import type { ListedDisk } from '@arriero/api'
import { expect, test } from 'vitest'
import { diskName, diskWord, stagesOf } from './disk-stages.ts'

const disk: ListedDisk = {
  disk_id: '6f1c2d3e-0000-4000-8000-000000000000',
  direction: 'out',
  librarian_name: 'nyx',
  label: 'box 3',
  state: 'packed',
  created_time: '2026-11-01T00:00:00',
  changed_time: '2026-11-02T00:00:00',
  files: 10,
  bytes: 100,
  in_transit: 10,
  arrived: 0,
  confirmed: 0,
  failed: 0,
}

const now = (changes: Partial<ListedDisk>) => stagesOf({ ...disk, ...changes }).find(({ is }) => is === 'now')?.name

test('stagesOf() follows a disk from its packing to its receipt', () => {
  expect(now({ state: 'packing', in_transit: 0 })).toBe('packed')
  expect(now({})).toBe('in transit')
  expect(now({ state: 'reading', in_transit: 0, arrived: 10 })).toBe('arrived')
  expect(now({ state: 'read', in_transit: 0, arrived: 3, confirmed: 7 })).toBe('arrived')
  expect(now({ state: 'read', in_transit: 0, confirmed: 10 })).toBe('confirmed')
  expect(now({ direction: 'in', state: 'reading', in_transit: 0, arrived: 10 })).toBe('arrived')
})

test('stagesOf() takes what came back by another way than the news of its arrival', () => {
  expect(now({ state: 'packed', in_transit: 0, confirmed: 10 })).toBe('confirmed')
})

test('diskWord() never calls good what failed in part or was given up', () => {
  expect(diskWord({ ...disk, state: 'read', in_transit: 0, confirmed: 9, failed: 1 }).tone).toBe('warn')
  expect(diskWord({ ...disk, state: 'given-up', in_transit: 0, failed: 10 }).tone).toBe('bad')
  expect(diskWord({ ...disk, state: 'read', in_transit: 0, confirmed: 10 }).tone).toBe('good')
})

test('diskName() falls back to the number of a disk without a label', () => {
  expect(diskName(disk)).toBe('box 3')
  expect(diskName({ ...disk, label: '' })).toBe('disk 6f1c2d3e')
})
