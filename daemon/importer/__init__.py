"""Files to store: reads recordings and the tables of exports and takes in what is new (`bringing`). Judges nothing.

Nothing is imported here: the processes that read files need neither the store nor the tables.
"""
