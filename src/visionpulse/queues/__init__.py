"""What wakes workers. The videos table is the queue; these only save waiting."""
