/** What readers hold. A freed one is poisoned, and a reused one has another generation, since the collector frees nothing. */
export interface PipeObject {
  readonly id: number;
  generation: number;
  poisoned: boolean;
  /** 0 while published, 1 when removed, and one more for each grace period since. */
  age: number;
}

/**
 * Objects on their way from the free list to the readers, and through so many grace periods back to the free list.
 *
 * One grace period would do. The long way makes an early one visible to readers while the object is still whole.
 */
export class Pipe {
  readonly length: number;
  readonly objectCount: number;
  /** How many objects have reached each age; the last is how many were freed. */
  readonly circulation: number[];
  current: PipeObject;
  freeListEmpty = 0;
  readonly #free: PipeObject[] = [];
  #removed: PipeObject[] = [];

  constructor(length: number, objectCount: number) {
    this.length = length;
    this.objectCount = objectCount;
    this.circulation = Array.from({ length: length + 1 }, () => 0);
    for (let id = 0; id < objectCount; id++) {
      this.#free.push({ id, generation: 0, poisoned: true, age: 0 });
    }
    this.current = this.#free.shift() as PipeObject;
    this.#makeNew(this.current);
  }

  /** Objects that are not published and not free. */
  get inPipe(): number {
    return this.objectCount - 1 - this.#free.length;
  }

  /** Removed objects that wait for grace periods of the writer's own. */
  get removed(): number {
    return this.#removed.length;
  }

  /** Takes the object that was freed longest ago, so that none is left out of the circulation. */
  take(): PipeObject | null {
    const object = this.#free.shift();
    if (object === undefined) {
      this.freeListEmpty++;
      return null;
    }
    this.#makeNew(object);
    return object;
  }

  /** Publishes `fresh` and returns what it replaces, which is now of age 1. */
  publish(fresh: PipeObject): PipeObject {
    const old = this.current;
    this.current = fresh;
    this.#grow(old);
    return old;
  }

  /** `old` ages with the others on the list, at each {@link ageRemoved}. */
  retire(old: PipeObject): void {
    this.#removed.push(old);
  }

  /** A grace period is over that began after everything on the list was removed. */
  ageRemoved(): void {
    this.#removed = this.#removed.filter((object) => !this.age(object));
  }

  /** A grace period of this object's own is over; true when it has reached the end of the pipe and was freed. */
  age(object: PipeObject): boolean {
    this.#grow(object);
    if (object.age < this.length) {
      return false;
    }
    object.poisoned = true;
    object.generation++;
    this.#free.push(object);
    return true;
  }

  #grow(object: PipeObject): void {
    object.age++;
    this.#countAge(object.age);
  }

  #makeNew(object: PipeObject): void {
    object.poisoned = false;
    object.age = 0;
    this.#countAge(0);
  }

  /** An object is freed at the age of `length`, so none is older than the histogram. */
  #countAge(age: number): void {
    this.circulation[age] = (this.circulation[age] as number) + 1;
  }
}
