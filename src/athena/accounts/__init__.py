"""The worker side: sessions with Discord, queues, slots, matching, recovery."""
