"""Trains the occluder expert: which pixels of a lower face show something that is in front of it?"""
