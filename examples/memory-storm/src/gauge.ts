import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { V8HeapSource } from '@core/pressure';

const NS_PER_MS = 1e6;
const KIB = 1024;

/** Measures the process it is in: with the same ruler, whatever runs there. */
export class Gauge {
  private readonly heap = new V8HeapSource();
  private readonly delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 });
  private peakLiveBytes = 0;

  constructor() {
    this.delay.enable();
  }

  read(): { rssBytes: number; peakRssBytes: number; peakLiveBytes: number; delayP99Ms: number | null } {
    for (const { liveBytes } of this.heap.collections()) {
      this.peakLiveBytes = Math.max(this.peakLiveBytes, liveBytes);
    }
    return {
      rssBytes: process.memoryUsage.rss(),
      peakRssBytes: process.resourceUsage().maxRSS * KIB,
      peakLiveBytes: this.peakLiveBytes,
      delayP99Ms: this.delay.count === 0 ? null : this.delay.percentile(99) / NS_PER_MS,
    };
  }

  close(): void {
    this.delay.disable();
    this.heap.close();
  }
}
