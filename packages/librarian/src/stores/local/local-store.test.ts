import { LocalPlace } from '../../../test/local-place.ts'
import { describeStore } from '../../../test/store-suite.ts'

describeStore('local', {
  async make() {
    const place = await LocalPlace.make()
    return {
      store: await place.open(),
      stage: (id, uploadName, content) => place.stage(id, uploadName, content),
      damage: (name, content) => place.damage(name, content),
      put: (name, content) => place.put(name, content),
      reopen: () => place.open(),
      openFor: (keeper, life) => place.open({ keeper, life }),
      setThere: isThere => place.setThere(isThere),
      [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
    }
  },
})
