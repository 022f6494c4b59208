import { NodePool, type NodePoolOptions, type RadixNode } from '../../src/index.js';

/** A pool whose `take` fails when the test says so. */
export class FailingPool extends NodePool {
  /** How often `take` was called. */
  takes = 0;
  private readonly fails: (take: number) => boolean;

  /** @param fails told the number of the call, from 1 on */
  constructor(options: NodePoolOptions, fails: (take: number) => boolean) {
    super(options);
    this.fails = fails;
  }

  override take(): RadixNode | null {
    this.takes++;
    return this.fails(this.takes) ? null : super.take();
  }
}

/** Busted: wipes nothing that it takes back. */
export class LeakyPool extends NodePool {
  override give(node: RadixNode): void {
    super.give(node, true);
  }
}

/** Busted: does not know that a node was given back already. */
export class ForgetfulPool extends NodePool {
  override give(node: RadixNode, clean = false): void {
    node.fill(undefined);
    super.give(node, clean);
  }
}
