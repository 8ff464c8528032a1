"""Reports on campaigns: their funnels from a raw log, and their lifts by the warehouse's models of it."""
