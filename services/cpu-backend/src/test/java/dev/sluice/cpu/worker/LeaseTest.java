package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LeaseTest {
    private final AtomicLong nanoTime = new AtomicLong();
    private final Lease lease = new Lease(Duration.ofSeconds(60), nanoTime::get);

    @Test
    void itEndsWhenNoCallCameForItsLength() {
        nanoTime.addAndGet(Duration.ofSeconds(61).toNanos());

        assertThat(lease.isOver()).isTrue();
    }

    @Test
    void everyCallRenewsIt() {
        nanoTime.addAndGet(Duration.ofSeconds(59).toNanos());
        lease.renew();
        nanoTime.addAndGet(Duration.ofSeconds(59).toNanos());

        assertThat(lease.isOver()).isFalse();
    }
}
