import { errorCategories, errorSeverities } from '@arriero/api'
import { expect, test } from 'vitest'
import { categories, severities } from './error-kinds.ts'

test('the kinds are those of the wire', () => {
  expect(severities).toEqual(errorSeverities)
  expect(categories).toEqual(errorCategories)
})
