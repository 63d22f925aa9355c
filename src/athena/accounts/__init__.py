"""The accounts at work: sessions with Discord, queues, slots, matching, recovery."""
