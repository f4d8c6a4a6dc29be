"""The portal's pages of visits: today's list, the visit itself, its note, and the demonstration's phone."""
